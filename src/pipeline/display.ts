import type { Progress } from './stage.js';

/** How one stage shows how far it is. */
export type StageMeter = {
  /** An item came to an end. */
  ended(label: string, status: 'done' | 'rejected' | 'failed'): void;
  /** An item in progress tells how far it is. */
  item(label: string, progress: Progress): void;
  close(): void;
};

/** Where a run shows itself. */
export type Display = {
  /** Begins a stage that has `total` items, `already` of them finished before. */
  stage(name: string, total: number, already: number): StageMeter;
  log(line: string): void;
  close(): void;
};
