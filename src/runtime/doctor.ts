import { commandLine } from '../pipeline/invocation.js';
import { wheelFolder } from '../provision/fetch-wheel.js';
import { SetupProblem } from '../provision/setup-problem.js';
import { findAddon } from './addon.js';
import { lookAtFfmpeg } from './doctor/ffmpeg.js';
import type { Diagnosis } from './doctor/finding.js';
import { lookAtMachine } from './doctor/machine.js';
import { lookAtPackages } from './doctor/packages.js';
import { diagnosisJson, formatDiagnosis } from './doctor/print.js';
import { lookAtProgram } from './doctor/program.js';
import { lookAtGpu, lookAtTensorflow } from './doctor/tensorflow.js';
import { lookAtTools } from './doctor/tools.js';
import { lookAtVariables } from './doctor/variables.js';
import { giveVerdict } from './doctor/verdict.js';
import { isLibtensorflowFetched } from './fetch-libtensorflow.js';
import { libtensorflowFor, type Libtensorflow } from './libtensorflow.js';
import { readProcessor } from './processor.js';

export type { Diagnosis, Finding, Section, Verdict } from './doctor/finding.js';

/**
 * Looks at everything that set-up and runs lean on, without changing anything or using the network. Imports no package: what may be
 * broken (TensorFlow, sharp, SQLite) is loaded in processes of their own.
 *
 * @param ffmpegModule address of the module that chooses the ffmpeg: see {@link lookAtFfmpeg}
 */
export async function diagnose(ffmpegModule: string): Promise<Diagnosis> {
  const there = await whatIsThere();
  const sections = [
    await lookAtProgram(),
    await lookAtMachine(there.library && there.addon),
    await lookAtTools(there),
    await lookAtPackages(),
    await lookAtTensorflow(),
    await lookAtGpu(),
    await lookAtFfmpeg(ffmpegModule),
    lookAtVariables(),
  ];
  const verdict = giveVerdict(sections, commandLine(['setup']));
  return { healthy: verdict.runs === 'native' || verdict.runs === 'set-up', verdict, sections };
}

/**
 * The command `doctor`: looks, prints, and gives whether native TensorFlow runs here or can be set up.
 *
 * @param options.json for programs instead of people
 */
export async function runDoctor(
  say: (line: string) => void,
  { json = false, ffmpegModule }: { readonly json?: boolean; readonly ffmpegModule: string },
): Promise<boolean> {
  const diagnosis = await diagnose(ffmpegModule);
  for (const line of json ? diagnosisJson(diagnosis).split('\n') : formatDiagnosis(diagnosis)) say(line);
  return diagnosis.healthy;
}

/** What set-up has brought already, for the build that runs on a CPU. */
async function whatIsThere(): Promise<{ readonly library: boolean; readonly addon: boolean }> {
  const pinned = libtensorflowFor(process.platform, process.arch);
  try {
    const library = pinned !== undefined && (await isLibtensorflowFetched(pinned));
    return { library, addon: library && (await isAddonBuilt(pinned)) };
  } catch (error) {
    if (error instanceof SetupProblem) return { library: false, addon: false }; // the cache is nowhere
    throw error;
  }
}

/** Whether the addon is there; not, where even its sources are missing, which is said of it elsewhere. */
async function isAddonBuilt(library: Libtensorflow): Promise<boolean> {
  const { glibc = '' } = await readProcessor();
  try {
    return (await findAddon(wheelFolder(library.tensorflow), glibc)) !== undefined;
  } catch {
    return false;
  }
}
