// Compiles the kernels (kernels/NAME.ts, AssemblyScript) to WebAssembly and writes each as a TypeScript file beside its user: the
// module's bytes and the types of its functions. The files are committed, so that only who changes a kernel needs the compiler.
//
//   npm run build:kernels
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(import.meta.dirname, '..');

/** Where the kernel of each name goes, from the root. */
export const kernels = {
  render: 'src/images/render-kernel-bytes.ts',
  kcf: 'src/tracking/kcf-kernel-bytes.ts',
  luma: 'src/video/luma-kernel-bytes.ts',
  flow: 'src/tracking/flow-kernel-bytes.ts',
};

/** No relaxed SIMD, no fast-math: the same bytes on every machine. No allocator: memory is laid out by who calls. */
const options = ['--runtime', 'stub', '--enable', 'simd', '-O3', '--noAssert', '--bindings', 'raw'];

const compile = async (name) => {
  const { main } = await import('assemblyscript/asc');
  const written = new Map();
  const { error, stderr } = await main(
    [`kernels/${name}.ts`, '--outFile', 'kernel.wasm', '--baseDir', root, ...options],
    {
      writeFile: (file, content) => void written.set(path.extname(file), content),
    },
  );
  if (error) throw new Error(`kernels/${name}.ts does not compile:\n${stderr.toString()}`);
  return { bytes: written.get('.wasm'), types: written.get('.ts') };
};

/** A module's functions, as members of a type. */
const signaturesOf = (types) =>
  [...types.matchAll(/^ *export function (\w+\(.*\): \w+;)$/gm)].map(([, signature]) => signature);

/** The text of the TypeScript file of a kernel. */
export const kernelFile = async (name) => {
  const { bytes, types } = await compile(name);
  if (WebAssembly.Module.imports(new WebAssembly.Module(bytes)).length > 0) {
    throw new Error(`kernels/${name}.ts imports something: a kernel stands by itself`);
  }
  const title = name.replace(/(^|-)(\w)/g, (_, dash, letter) => letter.toUpperCase());
  const text = `// Written by \`npm run build:kernels\` from kernels/${name}.ts.

/** The functions of kernels/${name}.ts; addresses and lengths in bytes. */
export type ${title}Kernel = {
${signaturesOf(types).join('\n')}
};

/** Its WebAssembly module, base64. */
export const ${title[0].toLowerCase()}${title.slice(1)}KernelBytes = '${Buffer.from(bytes).toString('base64')}';
`;
  const prettier = await import('prettier');
  const file = path.join(root, kernels[name]);
  return prettier.format(text, { ...(await prettier.resolveConfig(file)), parser: 'typescript' });
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, file] of Object.entries(kernels)) {
    await writeFile(path.join(root, file), await kernelFile(name));
    console.log(file);
  }
}
