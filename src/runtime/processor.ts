import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';

/** What TensorFlow's binaries ask of the machine, read without running any of them. */
export type Processor = {
  readonly model: string;
  readonly cores: number;
  /** The instruction sets that matter here, of `avx avx2 fma avx512f avx512_vnni amx_bf16`; `undefined` where the system does not tell. */
  readonly instructionSets: readonly string[] | undefined;
  /** Version of the GNU C library; `undefined` on musl (Alpine) and other systems. */
  readonly glibc: string | undefined;
};

const TOLD = ['avx', 'avx2', 'fma', 'avx512f', 'avx512_vnni', 'amx_bf16'];

/** Reads the processor's facts from `/proc/cpuinfo` and Node's own report. */
export async function readProcessor(): Promise<Processor> {
  const list = cpus();
  const flags = await readFile('/proc/cpuinfo', 'utf8').then(
    (text) => /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1]?.split(/\s+/),
    () => undefined,
  );
  return {
    model: list[0]?.model.trim() ?? 'unknown',
    cores: list.length,
    instructionSets: flags && TOLD.filter((name) => flags.includes(name)),
    glibc: readGlibc(),
  };
}

function readGlibc(): string | undefined {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  // Without this the report resolves host names of open sockets, which can take seconds.
  const before = report.excludeNetwork ?? false;
  report.excludeNetwork = true;
  try {
    return (report.getReport() as { header?: { glibcVersionRuntime?: string } }).header?.glibcVersionRuntime;
  } finally {
    report.excludeNetwork = before;
  }
}
