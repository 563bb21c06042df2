import { commandLine } from '../../pipeline/invocation.js';
import { cacheFolder } from '../../provision/cache.js';
import { formatBytes, freeDisk } from '../../provision/disk.js';
import { SetupProblem } from '../../provision/setup-problem.js';
import { wheelFolder } from '../../provision/fetch-wheel.js';
import { findAddon } from '../addon.js';
import { isLibtensorflowFetched } from '../fetch-libtensorflow.js';
import { libtensorflowFor, sizeOf, type Libtensorflow } from '../libtensorflow.js';
import { readNvidia, type NvidiaState } from '../nvidia.js';
import { readProcessor } from '../processor.js';
import type { Finding, Section } from './finding.js';
import { remedyFor } from './remedy.js';
import { tryInProcess } from './try-in-process.js';

/** TensorFlow's library on the CPU, whether it loads and computes, and whether the wasm fallback does. */
export async function lookAtTensorflow(): Promise<Section> {
  const library = libtensorflowFor(process.platform, process.arch);
  const findings: Finding[] = [];
  if (library === undefined)
    findings.push({
      name: 'library',
      value: `none is pinned for ${process.platform}-${process.arch}: wasm only`,
      state: 'missing',
      remedy: 'run on x64 Linux (in a container, for example)',
    });
  else {
    findings.push(await lookForBuild('library', library, commandLine(['setup'])));
    if (findings[0]!.state === 'fine') findings.push(await lookAtLoading(library));
  }
  const wasm = await tryInProcess(['wasm']);
  findings.push(
    wasm.ok
      ? { name: 'fallback', value: `tfjs wasm ${wasm.said} loads and computes`, state: 'fine' }
      : {
          name: 'fallback',
          value: `tfjs wasm does not compute: ${wasm.why}`,
          state: 'broken',
          remedy: await remedyFor(wasm.why),
        },
  );
  return { title: 'TensorFlow', findings };
}

/** Loads the library only where all is there: looking must not set anything up. */
async function lookAtLoading(library: Libtensorflow): Promise<Finding> {
  const { glibc = '' } = await readProcessor();
  try {
    if (!(await findAddon(wheelFolder(library.tensorflow), glibc)))
      return {
        name: 'addon',
        value: 'not compiled yet for this library',
        state: 'note',
        remedy: commandLine(['setup']),
      };
  } catch (error) {
    // The sources that it is compiled from are a package's.
    const why = (error as Error).message.split('\n', 1)[0]!;
    return { name: 'addon', value: `its sources are not there: ${why}`, state: 'broken', remedy: await remedyFor(why) };
  }
  const tried = await tryInProcess(['tensorflow', 'cpu']);
  if (tried.ok) return { name: 'loads', value: `TensorFlow ${tried.said} loads and computes`, state: 'fine' };
  const remedy = await remedyFor(tried.why, 'runs with --device wasm');
  return { name: 'loads', value: `it does not load: ${tried.why}`, state: 'missing', remedy };
}

/** Whether a build is in the cache, or what it takes to bring it there. */
async function lookForBuild(name: string, library: Libtensorflow, command: string): Promise<Finding> {
  const what = `${library.tensorflow.package} ${library.version}`;
  let enough = true;
  const { download, kept } = sizeOf(library);
  try {
    if (await isLibtensorflowFetched(library)) return { name, value: `${what} is in the cache`, state: 'fine' };
    enough = (await freeDisk(cacheFolder())) >= download + kept;
  } catch (error) {
    // The cache is nowhere: said among the folders.
    if (!(error instanceof SetupProblem)) throw error;
  }
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
