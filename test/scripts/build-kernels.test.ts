import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

type Script = {
  readonly kernels: Readonly<Record<string, string>>;
  kernelFile(name: string): Promise<string>;
};

describe('compiled kernels', () => {
  it('are what `npm run build:kernels` makes of their sources', async function () {
    this.timeout(120_000);
    const script = (await import(pathToFileURL(path.resolve('scripts', 'build-kernels.mjs')).href)) as Script;
    for (const [name, file] of Object.entries(script.kernels)) {
      const made = await script.kernelFile(name).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
        console.log('      skipped: the compiler (assemblyscript, a development dependency) is not installed');
        return this.skip();
      });
      assert.equal(
        made,
        await readFile(file, 'utf8'),
        `${file} is not what kernels/${name}.ts says: npm run build:kernels`,
      );
    }
  });
});
