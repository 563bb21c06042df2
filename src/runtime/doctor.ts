import { execFile } from 'node:child_process';
import { freemem, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { commandLine } from '../pipeline/invocation.js';
import { cacheFolder } from '../provision/cache.js';
import { formatBytes, freeDisk } from '../provision/disk.js';
import { findPython } from '../provision/python.js';
import { SetupProblem } from '../provision/setup-problem.js';
import { findCompiler } from './addon.js';
import { isLibtensorflowFetched } from './fetch-libtensorflow.js';
import { libtensorflowFor, sizeOf, type Libtensorflow } from './libtensorflow.js';
import { readNvidia, type NvidiaState } from './nvidia.js';
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
  const sections = [await lookAtMachine(), await lookAtTools(), await lookAtTensorflow(), await lookAtGpu(), ...extra];
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
  return { title, findings: [await lookForBuild('library', library, commandLine(['setup']))] };
}

/** Whether a build is in the cache, or what it takes to bring it there. */
async function lookForBuild(name: string, library: Libtensorflow, command: string): Promise<Finding> {
  const what = `${library.tensorflow.package} ${library.version}`;
  if (await isLibtensorflowFetched(library)) return { name, value: `${what} is in the cache`, state: 'fine' };
  const { download, kept } = sizeOf(library);
  const enough = (await freeDisk(cacheFolder())) >= download + kept;
  return {
    name,
    value: `${what} is not in the cache yet; it needs ${formatBytes(download + kept)} of disk while it is set up`,
    state: enough ? 'note' : 'missing',
    remedy: enough ? command : 'free some space, or set VIDEO_SSL_CACHE to a folder on a larger disk',
  };
}

/**
 * The GPU, its driver, and TensorFlow's build for it. Nothing here is ever `missing`: all runs without a GPU.
 *
 * @param nvidia what there is. @default what {@link readNvidia} finds
 */
export async function lookAtGpu(nvidia?: NvidiaState): Promise<Section> {
  const found = nvidia ?? (await readNvidia());
  const findings: Finding[] = [];
  if (found.state === 'ready') {
    const { gpus, driver } = found;
    findings.push({
      name: 'gpu',
      value: gpus.length > 0 ? gpus.join(', ') : 'one that the driver does not name',
      state: 'fine',
    });
    findings.push({ name: 'driver', value: `NVIDIA ${driver ?? '(version unknown)'}`, state: 'fine' });
  } else if (found.state === 'unusable')
    findings.push({ name: 'driver', value: found.reason, state: 'note', remedy: found.remedy });
  else findings.push({ name: 'gpu', value: `none: ${found.reason}`, state: 'fine' });
  const library = libtensorflowFor(process.platform, process.arch, 'cuda');
  if (library) {
    const build = await lookForBuild('cuda build', library, commandLine(['setup', '--device', 'gpu']));
    // Without a GPU nobody needs it.
    const { remedy: _, ...plain } = build;
    findings.push(
      found.state === 'ready'
        ? { ...build, state: build.state === 'missing' ? 'note' : build.state }
        : { ...plain, state: 'fine' },
    );
  }
  return { title: 'GPU', findings };
}

async function isFetched(): Promise<boolean> {
  const library = libtensorflowFor(process.platform, process.arch);
  return library !== undefined && (await isLibtensorflowFetched(library));
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
