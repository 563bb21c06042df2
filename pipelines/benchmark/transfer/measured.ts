import type { Trunk } from '../../../src/network/trunk.js';
import type { Json } from '../../../src/pipeline/json.js';
import type { WorkContext } from '../../../src/pipeline/stage.js';
import type { Metric } from '../../../src/transfer/metric.js';
import type { ImageScores } from '../../../src/transfer/statistics/image-scores.js';
import type { TransferParams } from '../params.js';
import type { TransferPayload } from '../stages/transfer.js';

/** One value of one protocol, with what statistics need of every test image. */
export type Measured = {
  readonly protocol: string;
  readonly metric: Metric;
  readonly value: number;
  readonly scores?: ImageScores;
  /** sha256 of the target. */
  readonly data: string;
  readonly params: Json;
};

/** What the evaluations of a cell get. */
export type CellContext = {
  readonly payload: TransferPayload;
  readonly ctx: WorkContext<TransferParams>;
  /** Measures what `protocol` takes, in seconds, for the record. */
  timed<T>(protocol: string, work: () => T | Promise<T>): Promise<T>;
  /** The network of a row that has one; disposed by the caller of the evaluation. */
  network(): Trunk;
};

/** A name as part of a file name, whatever the user's folder is called. */
export const filePart = (name: string): string => name.replace(/[^\w.-]+/g, '_');

/** A file name for a figure. */
export const figureName = (kind: string, { target, method }: TransferPayload): string =>
  `figure-${kind}-${filePart(target)}-${filePart(method)}`;
