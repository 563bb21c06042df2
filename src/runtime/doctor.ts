import { execFile } from 'node:child_process';
import { freemem, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { cacheFolder } from '../provision/cache.js';
import { formatBytes, freeDisk } from '../provision/disk.js';
import { findWheel } from '../provision/fetch-wheel.js';
import { findPython } from '../provision/python.js';
import { SetupProblem } from '../provision/setup-problem.js';
import { findCompiler } from './addon.js';
import { libtensorflowFor } from './libtensorflow.js';
import { readProcessor } from './processor.js';

/** One fact about the machine or the installation. */
export type Finding = {
  /** `python`, `disk`. */
  readonly name: string;
  readonly value: string;
  /** `missing` stands in the way of native TensorFlow; `note` is worth knowing; `fine` is as it should be. */
  readonly state: 'fine' | 'note' | 'missing';
  /** The one command or deed that mends it. */
  readonly remedy?: string;
};

/** Findings under one heading. Other rooms add sections of their own (ffmpeg). */
export type Section = { readonly title: string; readonly findings: readonly Finding[] };

/** What `doctor` found, and whether native TensorFlow can run here or be set up. */
export type Diagnosis = { readonly healthy: boolean; readonly sections: readonly Section[] };

/**
 * Looks at everything that set-up and training lean on, without changing anything, loading TensorFlow or using the network.
 *
 * @param extra sections of other rooms, shown after these; their `missing` findings count too
 */
export async function diagnose(extra: readonly Section[] = []): Promise<Diagnosis> {
  const sections = [await lookAtMachine(), await lookAtTools(), await lookAtTensorflow(), ...extra];
  const healthy = sections.every(({ findings }) => findings.every(({ state }) => state !== 'missing'));
  return { healthy, sections };
}

async function lookAtMachine(): Promise<Section> {
  const { model, cores, instructionSets, glibc } = await readProcessor();
  const cache = cacheFolder();
  return {
    title: 'Machine',
    findings: [
      { name: 'node', value: process.version, state: 'fine' },
      { name: 'system', value: `${process.platform}-${process.arch}, glibc ${glibc ?? 'none'}`, state: 'fine' },
      { name: 'processor', value: `${model}, ${cores} cores`, state: 'fine' },
      instructionSets === undefined || instructionSets.includes('avx')
        ? { name: 'instructions', value: instructionSets?.join(' ') ?? 'not told by the system', state: 'fine' }
        : { name: 'instructions', value: 'no AVX', state: 'missing', remedy: 'run on a processor with AVX' },
      { name: 'memory', value: `${formatBytes(freemem())} free of ${formatBytes(totalmem())}`, state: 'fine' },
      { name: 'cache', value: `${cache}, ${formatBytes(await freeDisk(cache))} free`, state: 'fine' },
    ],
  };
}

/** Tools that only set-up needs: once TensorFlow is in the cache, their absence is a note. */
async function lookAtTools(): Promise<Section> {
  const absent = (await isFetched()) ? 'note' : 'missing';
  const tool = async (name: string, find: () => Promise<string>): Promise<Finding> => {
    try {
      return { name, value: await find(), state: 'fine' };
    } catch (error) {
      if (!(error instanceof SetupProblem)) throw error;
      return { name, value: error.message, state: absent, remedy: error.remedy };
    }
  };
  return {
    title: 'Tools for set-up',
    findings: [
      await tool('python', async () => {
        const { command, python, pip } = await findPython();
        return `${command} ${python}, pip ${pip}`;
      }),
      await tool('compiler', async () => {
        const compiler = await findCompiler();
        const { stdout } = await promisify(execFile)(compiler, ['--version']);
        return stdout.split('\n', 1)[0]!;
      }),
    ],
  };
}

async function lookAtTensorflow(): Promise<Section> {
  const library = libtensorflowFor(process.platform, process.arch);
  const title = 'TensorFlow';
  if (library === undefined)
    return {
      title,
      findings: [
        {
          name: 'library',
          value: `none is pinned for ${process.platform}-${process.arch}: wasm only`,
          state: 'missing',
          remedy: 'run on x64 Linux (in a container, for example)',
        },
      ],
    };
  const needed = library.bytes + library.unpackedBytes;
  if (await isFetched()) {
    const value = `${library.package} ${library.version} is in the cache`;
    return { title, findings: [{ name: 'library', value, state: 'fine' }] };
  }
  const enough = (await freeDisk(cacheFolder())) >= needed;
  return {
    title,
    findings: [
      {
        name: 'library',
        value: `${library.package} ${library.version} is not in the cache yet; it needs ${formatBytes(needed)} of disk while it is set up`,
        state: enough ? 'note' : 'missing',
        remedy: enough ? 'npm run setup' : 'free some space, or set VIDEO_SSL_CACHE to a folder on a larger disk',
      },
    ],
  };
}

async function isFetched(): Promise<boolean> {
  const library = libtensorflowFor(process.platform, process.arch);
  return library !== undefined && (await findWheel(library)) !== undefined;
}

/** The diagnosis as lines for a terminal: what is missing is marked with `✗` and its remedy, what is worth knowing with `!`. */
export function formatDiagnosis({ healthy, sections }: Diagnosis): string[] {
  const mark = { fine: ' ', note: '!', missing: '✗' } as const;
  const lines = sections.flatMap(({ title, findings }) => [
    title,
    ...findings.flatMap(({ name, value, state, remedy }) => [
      `${mark[state]} ${name.padEnd(13)}${value}`,
      ...(remedy === undefined ? [] : [`  ${' '.repeat(13)}to mend it: ${remedy}`]),
    ]),
  ]);
  return [
    ...lines,
    healthy ? 'All that a run needs is here or can be set up.' : 'Something is missing; see the lines marked ✗.',
  ];
}
