import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pipelines, sideCommands } from '../pipelines/index.js';
import { exitCodes, runCommandLine, type CommandLineHooks } from './pipeline/command-line.js';
import { commandLine, invocationEnvironment } from './pipeline/invocation.js';
import { RunError } from './pipeline/run-errors.js';
import type { RunSettings } from './pipeline/stage.js';
import { UsageError } from './pipeline/usage-error.js';
import { isNativeOrdered } from './runtime/device.js';
import { runDoctor } from './runtime/doctor.js';
import { describeRuntime, openRuntime } from './runtime/open.js';
import { isLoadNoise } from './runtime/load-noise.js';
import { ensureForDevice, ensureNative } from './runtime/setup.js';
import { ensureFfmpeg } from './video/ffmpeg-binary.js';

const describeCommand = 'describe-runtime';

const hooks: CommandLineHooks = {
  setup: async (log, device, anywhere) => {
    let refused: string | undefined;
    if (device !== 'wasm') {
      const native =
        device === 'gpu' && anywhere ? await ensureNative(log, { build: 'cuda' }) : await ensureForDevice(device, log);
      if (native.kind === 'fallback') {
        const lacks = `native TensorFlow is not to be had: ${native.reason}`;
        // A run says so as it opens its runtime.
        if (anywhere && isNativeOrdered(device)) refused = lacks;
        else log(lacks);
      }
    }
    await ensureFfmpeg(log);
    if (refused !== undefined) throw new RunError(refused);
  },
  doctor: (log, json) => runDoctor(log, { json, ffmpegModule: import.meta.resolve('./video/ffmpeg-binary.js') }),
  describe: async (settings) => {
    // Opened in a process of its own: the coordinator never loads TensorFlow, and a device that cannot be had is told before any work.
    const program = fileURLToPath(new URL('./cli.js', import.meta.url));
    const env = { ...process.env, ...invocationEnvironment(), ...hooks.childEnvironment(settings) };
    try {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [program, describeCommand, settings.device, String(settings.jobs)],
        {
          env,
        },
      );
      return stdout.trimEnd().split('\n');
    } catch (error) {
      const { code, signal, stderr } = error as { code?: number; signal?: string; stderr?: string };
      const said = (stderr ?? '')
        .split('\n')
        .filter((line) => !isLoadNoise(line))
        .join('\n')
        .trim();
      if (code === exitCodes.usage) throw new UsageError(said);
      throw new RunError(
        `The runtime does not start (${signal ?? `exit code ${code}`}): run \`${commandLine(['doctor'])}\`, or try --device wasm.\n${said}`.trim(),
      );
    }
  },
  isNoise: isLoadNoise,
  childEnvironment: ({ jobs }) => ({
    TF_CPP_MIN_LOG_LEVEL: process.env['TF_CPP_MIN_LOG_LEVEL'] ?? '3',
    TF_NUM_INTRAOP_THREADS: process.env['TF_NUM_INTRAOP_THREADS'] ?? String(jobs),
    TF_NUM_INTEROP_THREADS: process.env['TF_NUM_INTEROP_THREADS'] ?? '1',
  }),
};

const describeHere = async (device: RunSettings['device'], threads: number): Promise<number> => {
  try {
    for (const line of describeRuntime(await openRuntime({ device, threads }))) process.stdout.write(`${line}\n`);
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return exitCodes.usage;
  }
};

/** Does what a command line says (without node and script), and gives the exit code. */
export const runProgram = (argv: readonly string[]): Promise<number> =>
  argv[0] === describeCommand
    ? describeHere(argv[1] as RunSettings['device'], Number(argv[2]))
    : runCommandLine(argv, pipelines, hooks, sideCommands);
