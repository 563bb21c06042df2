import type { z } from 'zod';
import type { Json } from './json.js';

/** One thing a stage works on: a video, a training run, a cell of the benchmark table. */
export type Item = {
  /** For people: a file name, `triplet seed 1`. Never identity. */
  readonly label: string;
  /** Identity: the sha256 (hex) of the content that the work depends on, besides the stage's recipe. */
  readonly content: string;
  /** What the worker needs to find that content (paths, indices). Not part of the identity. */
  readonly payload: Json;
};

/** A file that a finished item or stage left behind. */
export type Artefact = {
  readonly name: string;
  /** Absolute, valid in this process; never stored (the ledger keeps paths relative to the run folder). */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** What the work on one item came to. `rejected` is a verdict on the input, and stands; throwing means `failed`. */
export type WorkResult =
  | {
      readonly status: 'done';
      /** Small, deterministic facts that later stages read; part of the digest. */
      readonly data?: Json;
      /** Times, rates, versions: recorded, shown, outside the digest. */
      readonly notes?: Json;
      /** Names of files (relative to `ctx.outputs`) that may differ from run to run (event files, logs): outside the digest. */
      readonly volatile?: readonly string[];
    }
  | { readonly status: 'rejected'; readonly reason: string; readonly data?: Json };

/** A finished or rejected item as later stages see it. */
export type FinishedItem = {
  readonly label: string;
  readonly content: string;
  readonly key: string;
  /** As `items` gave it in this run (a path that moved is the new path). */
  readonly payload: Json;
  readonly status: 'done' | 'rejected' | 'failed';
  readonly reason?: string;
  readonly data: Json;
  readonly notes: Json;
  readonly artefacts: readonly Artefact[];
};

/** A finished stage as later stages see it. */
export type StageOutput = {
  readonly stage: string;
  /** What it ran with. */
  readonly params: Json;
  readonly key: string;
  /** sha256 over the data and the artefacts that should not depend on when or how often a run was interrupted. */
  readonly digest: string;
  readonly items: readonly FinishedItem[];
  readonly data: Json;
  readonly notes: Json;
  readonly artefacts: readonly Artefact[];
  readonly seconds: number;
};

/** How far an item is. `done` and `total` are in `unit`s (frames, steps). */
export type Progress = {
  readonly done: number;
  readonly total?: number;
  readonly unit?: string;
  readonly text?: string;
};

/** What the whole run was started with, as far as work may depend on it. */
export type RunSettings = {
  readonly device: 'auto' | 'cpu' | 'gpu' | 'wasm';
  readonly jobs: number;
  /** The command line that started the run, for provenance. */
  readonly command: string;
};

type StageContext<P> = {
  readonly params: P;
  readonly settings: RunSettings;
  /** Outputs of the stages named in `inputs`. */
  input(stage: string): StageOutput;
};

/** What a worker gets beside the item. */
export type WorkContext<P> = StageContext<P> & {
  /** Files written here become the item's artefacts when the work returns `done`; emptied before each try. */
  readonly outputs: string;
  /** Kept across interruptions of this very item (checkpoints); removed once it is done. */
  readonly scratch: string;
  progress(progress: Progress): void;
  /** A line for the person at the terminal, and for the log. */
  log(line: string): void;
  /** Aborted when the run is asked to stop: finish the step, checkpoint, and throw `signal.reason`. */
  readonly signal: AbortSignal;
};

/** A worker module's default export. */
export type Work<P = unknown> = (item: Item, ctx: WorkContext<P>) => Promise<WorkResult>;

/** What `items` gets: it lists the work before any is done. */
export type ItemsContext<P> = StageContext<P> & {
  readonly workDir: string;
  /** sha256 of a file, from the ledger's cache where size, mtime and inode are unchanged. */
  hashFile(path: string): Promise<string>;
  log(line: string): void;
};

/** What `reduce` gets: all items are done, rejected or (where the stage goes on) failed. */
export type ReduceContext<P> = StageContext<P> & {
  /** In the order in which `items` listed them. */
  readonly items: readonly FinishedItem[];
  /** Files written here become the stage's artefacts. */
  readonly outputs: string;
  /** Everything that finished before in this run, by stage name (the report reads it). */
  readonly finished: ReadonlyMap<string, StageOutput>;
  log(line: string): void;
};

/** One step of a pipeline: lists items, turns each into a result, and folds the results into one. */
export type Stage<P = unknown> = {
  readonly name: string;
  /** Raised whenever the same input would give another output; part of every key. */
  readonly version: number;
  readonly summary: string;
  readonly params: z.ZodType<P>;
  /**
   * The part of the parameters that every item depends on, where that is not all of them: what only some items depend on (one
   * method's temperature) they name in their `content`, so that changing it runs only those again.
   * @default all parameters
   */
  readonly sharedParams?: (params: P) => Json;
  /** Names of earlier stages of the same pipeline. */
  readonly inputs: readonly string[];
  /**
   * Looks at one of `inputs` as soon as it is finished, which may be hours before this stage's turn: what `items` would refuse then, it
   * refuses here.
   *
   * @throws UsageError
   */
  readonly foresee?: (input: StageOutput, params: P) => void;
  readonly items?: (ctx: ItemsContext<P>) => Promise<readonly Item[]>;
  readonly work?: {
    /** A built module whose default export is a `Work`. */
    readonly module: URL;
    /** `thread`: `jobs` worker threads. `tensors`: the one child process that holds TensorFlow. */
    readonly runs: 'thread' | 'tensors';
    /** How many items are worked on at once, where that is not what `--jobs` says: what waits for a network needs no core. Threads only. */
    readonly atOnce?: (params: P) => number;
    /**
     * Which inputs the work itself reads (`ctx.input`): the others are not handed to the workers, each of which would hold a copy that
     * grows with the number of items.
     * @default all inputs
     */
    readonly reads?: readonly string[];
  };
  /** After an item failed: go on with the others (a bad video must not stop a run), or stop the run. */
  readonly onFailure: 'continue' | 'stop';
  /**
   * Whether each new run tries failed items again where the stage goes on after a failure: where time may mend it (a network).
   * Without it they are tried again only with `--retry failed`.
   * @default false
   */
  readonly retriesFailed?: boolean;
  readonly reduce?: (ctx: ReduceContext<P>) => Promise<Omit<Extract<WorkResult, { status: 'done' }>, 'status'>>;
};

/** Lets a stage be written with its own parameter type and stand in a list of stages. */
export const defineStage = <P>(stage: Stage<P>): Stage => stage as unknown as Stage;
