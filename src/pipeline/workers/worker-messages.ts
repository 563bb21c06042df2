import type { SealedFile } from '../durable-files.js';
import type { Json } from '../json.js';
import type { Item, Progress, RunSettings, StageOutput } from '../stage.js';

/** What a worker is told once, before any item. */
export type WorkerSetup = {
  /** URL of the built work module. */
  readonly module: string;
  readonly params: unknown;
  readonly settings: RunSettings;
  readonly inputs: readonly StageOutput[];
};

/** One item to work on, with its two folders (which exist). */
export type WorkerTask = { readonly item: Item; readonly outputs: string; readonly scratch: string };

/** The exit code of a child process that may start no thread. */
export const noThreadExit = 75;

/** To the worker. */
export type ToWorker =
  | { readonly type: 'setup'; readonly setup: WorkerSetup }
  | { readonly type: 'item'; readonly task: WorkerTask }
  | { readonly type: 'abort' }
  /** Nothing more will come: a child process ends. */
  | { readonly type: 'close' };

/** What came of an item, its outputs already hashed and flushed. */
export type WorkerVerdict =
  | {
      readonly status: 'done';
      readonly data: Json;
      readonly notes: Json;
      readonly volatile: readonly string[];
      readonly files: readonly SealedFile[];
    }
  | { readonly status: 'rejected'; readonly reason: string; readonly data: Json }
  | {
      readonly status: 'failed';
      readonly reason: string;
      readonly code?: string;
      readonly stack?: string;
      /** A file that the work reads changed or vanished meanwhile: nothing is known of the item. */
      readonly lostInput?: boolean;
    }
  /** The work stopped because it was asked to. */
  | { readonly status: 'aborted' };

/** From the worker. */
export type FromWorker =
  /** A child process came as far as its own program. */
  | { readonly type: 'started' }
  | { readonly type: 'verdict'; readonly verdict: WorkerVerdict }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'log'; readonly line: string };
