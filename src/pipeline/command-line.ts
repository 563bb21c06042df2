import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { printResult, surviveClosedOutput } from './closed-output.js';
import { addFolderCommands, folderName } from './folder-commands.js';
import { exitCodeOf, listenForInterruption } from './interruption.js';
import { commandLine, programName } from './invocation.js';
import { recipesOf } from './assess-stage.js';
import type { RunOrigin } from './ledger/ledger.js';
import { nearestOf } from './nearest.js';
import { ownPackage } from './own-package.js';
import { effectiveParams, formatParams } from './params.js';
import type { Pipeline, PipelineOption } from './pipeline.js';
import { formatPlan, planPipeline } from './plan.js';
import { printableText } from './printable.js';
import { Interrupted, RunError } from './run-errors.js';
import { expectSameStages, repeatRun, type RepeatedRun } from './repeat-run.js';
import { runPipeline, type RunRequest } from './run-pipeline.js';
import { appendToLog } from './run-log.js';
import { showRun } from './show-run.js';
import { placeForPeople } from './stage-manifest.js';
import type { SideCommand } from './side-command.js';
import type { RunSettings, StageOutput } from './stage.js';
import { UsageError } from './usage-error.js';
import type { VerifyHooks } from './upkeep/verify-command.js';

type Log = (line: string) => void;

/** What the engine cannot know: native libraries. */
export type CommandLineHooks = {
  /**
   * Brings what a pipeline needs natively on a device; quick when it is there. Also the `setup` command, which brings what the device needs
   * even where this machine has none (`anywhere`); a run refuses a device that is not there.
   */
  setup(log: Log, device: RunSettings['device'], anywhere: boolean): Promise<void>;
  /** Tells what is wrong with the machine, for people or as JSON; whether all is well. */
  doctor(log: Log, json: boolean): Promise<boolean>;
  /** The first lines of a run: which runtime, and what it costs. */
  describe(settings: RunSettings): Promise<readonly string[]>;
  /** Environment of the workers: thread counts and log levels. */
  childEnvironment(settings: RunSettings): Readonly<Record<string, string>>;
  /** Lines that the native libraries print in workers and nobody needs. */
  isNoise?(line: string): boolean;
};

/** Exit codes of the program; what a signal stopped ends with 128 and its number, Ctrl-C so with 130. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

type Options = {
  readonly work: string;
  readonly preset?: string;
  readonly set: readonly string[];
  readonly config?: string;
  readonly plan?: boolean;
  readonly printConfig?: boolean;
  readonly from?: string;
  readonly until?: string;
  readonly retry?: readonly ('rejected' | 'failed')[];
  readonly verify?: boolean;
  readonly device: RunSettings['device'];
  readonly jobs: number;
  readonly seeds: number;
  readonly seed: number;
};

/** Reads a command line (without node and script), does what it says, and gives the exit code. Prints; never exits. */
export async function runCommandLine(
  argv: readonly string[],
  pipelines: readonly Pipeline[],
  hooks: CommandLineHooks,
  sideCommands: readonly SideCommand[] = [],
  repeated?: RepeatedRun,
): Promise<number> {
  surviveClosedOutput();
  const say: Log = (line) => void process.stdout.write(`${printableText(line)}\n`);
  const complain: Log = (line) => void process.stderr.write(`${printableText(line)}\n`);
  let code: number = exitCodes.done;
  const command = repeated?.run.command ?? commandLine(argv);
  const program = new Command(programName()).description(
    'Learn visual features from unlabelled video. Without a name: what there is to run.',
  );
  program.exitOverride().configureOutput({ writeErr: (text) => void process.stderr.write(printableText(text)) });
  program.version(ownPackage().version).helpCommand('help [name]', 'options of a pipeline or command');
  program.argument('[name]').action(() => {
    for (const line of listing(pipelines, sideCommands)) say(line);
  });
  for (const pipeline of pipelines) {
    pipelineCommand(program, pipeline).action(async (options: Options, own: Command) => {
      const origin = { argv, directory: process.cwd() };
      code = await carryOut(
        pipeline,
        repeated ? optionsOf(repeated, options) : options,
        own,
        { command, origin, repeated },
        hooks,
        say,
      );
    });
  }
  for (const sideCommand of sideCommands) {
    addSideCommand(program, sideCommand, say);
  }
  const places = pipelines.map((pipeline) => path.join('runs', pipeline.name));
  const replay: VerifyHooks['replay'] = (run, workDir, how) =>
    repeatRun({ run, workDir, ...how }, (words, again) => runCommandLine(words, pipelines, hooks, sideCommands, again));
  addFolderCommands(program, { places, say, end: (ended) => (code = ended), replay });
  program
    .command('doctor')
    .description('look the machine over, and say what is missing')
    .option('--json', 'for programs: the same as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      code = (await hooks.doctor(say, json)) ? exitCodes.done : exitCodes.failed;
    });
  program
    .command('setup')
    .description('bring the native libraries')
    .addOption(deviceOption('auto | cpu | gpu (also where there is no GPU yet) | wasm'))
    .action((options: { device: RunSettings['device'] }) => hooks.setup(say, options.device, true));
  try {
    // Before options are looked at, which belong to the name.
    const names = ['help', ...program.commands.flatMap((one) => [one.name(), ...one.aliases()])];
    checkName(argv[0], names);
    if (argv[0] === 'help') checkName(argv[1], names);
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (error instanceof UsageError || error instanceof RunError) {
      complain(error.message);
      return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
    }
    if (error instanceof Interrupted) {
      complain(`Interrupted. To go on:\n  ${command}`);
      return exitCodeOf(error.signal);
    }
    complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return exitCodes.failed;
  }
}

/** @throws UsageError with the nearest name, for one that is none */
const checkName = (name: string | undefined, names: readonly string[]): void => {
  if (name === undefined || name.startsWith('-') || names.includes(name)) return;
  throw new UsageError(`unknown pipeline or command \`${name}\`: ${nearestOf(name, names)}`);
};

const deviceOption = (help: string): Option =>
  new Option('--device <NAME>', help)
    .argParser((value) => oneOf('--device', value, ['auto', 'cpu', 'gpu', 'wasm']))
    .default('auto');

/** `--videos <DIR|LIST.txt>`, as commander takes it. */
const spelled = ({ flag, value }: PipelineOption): string => (value === undefined ? flag : `${flag} <${value}>`);

const pipelineCommand = (program: Command, pipeline: Pipeline): Command => {
  const command = program.command(pipeline.name).description(pipeline.summary);
  if (pipeline.alias !== undefined) command.alias(pipeline.alias);
  for (const option of pipeline.options) command.option(spelled(option), option.help);
  const presets = Object.keys(pipeline.presets);
  return command
    .option('--work <DIR>', 'the run folder', folderName, path.join('runs', pipeline.name))
    .option('--preset <NAME>', `${presets.join(' | ')} (default: ${pipeline.defaultPreset})`)
    .option(
      '--set <stage.key=value>',
      'set a parameter; may be given many times',
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option('--config <FILE.yaml>', 'parameters by stage, over the preset')
    .option('--plan', 'say what would run, and why, and run nothing')
    .option('--print-config', 'print all parameters and where each comes from')
    .option('--from <STAGE>', 'take the stages before this one as they are')
    .option('--until <STAGE>', 'stop after this stage')
    .addOption(
      new Option('--retry <rejected|failed>', 'work on such items again; may be given twice').argParser(
        (value: string, all: readonly string[] = []) => [...all, oneOf('--retry', value, ['rejected', 'failed'])],
      ),
    )
    .option('--verify', 'believe no remembered hash of a file, and hash finished files again')
    .addOption(deviceOption('auto | cpu | gpu | wasm'))
    .option(
      '--jobs <N>',
      'worker threads (default: one a core); their number decides the last bits of trained weights: equal digests need equal --jobs',
      (value) => wholeNumber('--jobs', value, 1),
      availableParallelism(),
    )
    .option('--seeds <N>', 'training runs a method', (value) => wholeNumber('--seeds', value, 1), 3)
    .option('--seed <N>', 'the first seed', (value) => wholeNumber('--seed', value, 0), 1)
    .allowExcessArguments(false);
};

/** A command with what the ledger remembers of it. */
type Given = { readonly command: string; readonly origin: RunOrigin; readonly repeated: RepeatedRun | undefined };

/** A recorded run is run again where its folder is now, without taking verdicts back that stand. */
const optionsOf = ({ workDir }: RepeatedRun, options: Options): Options => ({
  ...options,
  work: workDir,
  verify: true,
  retry: [],
});

async function carryOut(
  pipeline: Pipeline,
  options: Options,
  own: Command,
  { command, origin, repeated }: Given,
  hooks: CommandLineHooks,
  say: Log,
): Promise<number> {
  const given = own.opts() as Record<string, unknown>;
  const named = pipeline.options.map(({ flag }): [string, string | undefined] => {
    const value = given[own.options.find((option) => option.long === flag)!.attributeName()];
    return [flag.replace(/^--/, ''), value === true ? 'true' : (value as string | undefined)];
  });
  const stages = pipeline.stages({ options: Object.fromEntries(named), seed: options.seed, seeds: options.seeds });
  const names = stages.map((stage) => stage.name);
  for (const [flag, stage] of [['--from', options.from] as const, ['--until', options.until] as const]) {
    if (stage !== undefined && !names.includes(stage))
      throw new UsageError(`${flag}: unknown stage \`${stage}\`: ${nearestOf(stage, names)}`);
  }
  const params = effectiveParams(pipeline, stages, options);
  pipeline.check?.(params.values);
  if (options.printConfig) {
    await printResult(formatParams(params).trimEnd().split('\n'));
    return exitCodes.done;
  }
  const settings: RunSettings = { device: options.device, jobs: options.jobs, command };
  const { from, until, verify = false } = options;
  const workDir = path.resolve(options.work);
  const retry = new Set(options.retry ?? []);
  const request: RunRequest = {
    pipeline: pipeline.name,
    stages,
    params: params.values,
    workDir,
    settings,
    origin,
    from,
    until,
    retry,
    verify,
  };
  if (options.plan) {
    for (const line of formatPlan(await planPipeline(request, say))) say(line);
    return exitCodes.done;
  }
  if (repeated) {
    expectSameStages(repeated, recipesOf(stages, params.values));
    if (repeated.onlyAsk) return exitCodes.done;
  }
  // From here on signals are the run's: also while native libraries are fetched.
  const interruption = listenForInterruption(say);
  const logFile = path.join(workDir, 'run.log');
  const display = showRun(process.stdout.isTTY === true, { logFile });
  try {
    // A pipeline that computes with no tensors (`mine`) neither fetches TensorFlow nor waits for it.
    const tensors = stages.some(({ work }) => work?.runs === 'tensors');
    await hooks.setup(say, tensors ? settings.device : 'wasm', false);
    interruption.stop.throwIfAborted();
    if (tensors) for (const line of await hooks.describe(settings)) say(line);
    const finished = await runPipeline(request, {
      display,
      ...interruption,
      workerEnvironment: hooks.childEnvironment(settings),
      isNoise: hooks.isNoise,
    });
    for (const line of closing(finished, workDir)) say(line);
    return exitCodes.done;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    appendToLog(logFile, error instanceof Interrupted ? 'interrupted' : `the run ended with an error: ${message}`);
    throw error;
  } finally {
    display.close();
    interruption.release();
  }
}

const addSideCommand = (program: Command, { name, summary, options, run }: SideCommand, say: Log): void => {
  const command = program.command(name).description(summary).allowExcessArguments(false);
  for (const option of options) command.option(spelled(option), option.help);
  command.action(async (given: Readonly<Record<string, string>>) => {
    const interruption = listenForInterruption(say);
    try {
      await run(given, say, interruption.stop);
    } finally {
      interruption.release();
    }
  });
};

const listing = (pipelines: readonly Pipeline[], sideCommands: readonly SideCommand[]): string[] => [
  `Pipelines (${commandLine(['NAME', '--help'])} tells the options):`,
  ...pipelines.flatMap(({ name, alias, summary, needs, presets }) => [
    `  ${name}${alias === undefined ? '' : ` (or ${alias})`}  ${summary}`,
    `    needs: ${needs}`,
    `    presets: ${Object.keys(presets).join(', ')}`,
  ]),
  `Other commands: ${[...sideCommands.map(({ name }) => name), 'status', 'verify', 'gc', 'doctor', 'setup'].join(', ')}`,
];

/** What people open first; beside it the rest of a folder needs no line. */
const forPeople = ['index.html', 'report.md', 'report.json'];

/** Where the last stage's files are, for people: its report where it wrote one, else the first of what it left. */
const closing = (finished: ReadonlyMap<string, StageOutput>, workDir: string): string[] => {
  const last = [...finished.values()].at(-1);
  if (!last || last.artefacts.length === 0) return [];
  const tops = [...new Set(last.artefacts.map(({ name }) => name.split('/')[0]!))];
  const reports = forPeople.filter((name) => tops.includes(name));
  const shown = reports.length > 0 ? reports : tops.slice(0, 6);
  return shown.map((name) => path.relative('', placeForPeople(workDir, last.stage, name, last.artefacts)));
};

const oneOf = <T extends string>(flag: string, value: string, known: readonly T[]): T => {
  const found = known.find((name) => name === value);
  if (found === undefined)
    throw new UsageError(`${flag}: expected one of ${known.join(', ')}, got \`${value}\`: ${nearestOf(value, known)}`);
  return found;
};

const wholeNumber = (flag: string, value: string, least: number): number => {
  const number = Number(value);
  if (value.trim() !== '' && Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`${flag}: expected a whole number of at least ${least}, got ${JSON.stringify(value)}`);
};
