import { tf, type Tensor } from '../runtime/tensors.js';

/** Writes scalars for TensorBoard. */
export type EventFile = {
  write(step: number, values: Readonly<Record<string, number>>): void;
  close(): void;
};

/** What the native backend offers for summaries, beyond tfjs's own interface. */
type SummaryBackend = {
  summaryWriter(folder: string): Tensor;
  createSummaryFileWriter(writer: Tensor, folder: string): void;
  writeScalarSummary(writer: Tensor, step: number, name: string, value: number): void;
  flushSummaryWriter(writer: Tensor): void;
};

/**
 * Opens a TensorBoard event file in `folder` (TensorFlow names it). Only native TensorFlow can write one; on another backend a
 * line to `log` says so and nothing is returned. They are for looking at: where one cannot be written (any more), a line to `log` says
 * so once, and the training goes on.
 */
export function openEventFile(folder: string, log: (line: string) => void): EventFile | undefined {
  const backend = tf.backend() as unknown as Partial<SummaryBackend>;
  if (typeof backend.summaryWriter !== 'function') {
    log('No TensorBoard event files: they need native TensorFlow (the curves are in the result all the same)');
    return undefined;
  }
  const native = backend as SummaryBackend;
  let isBroken = false;
  const attempt = (work: () => void): void => {
    if (isBroken) return;
    try {
      work();
    } catch (error) {
      isBroken = true;
      log(
        `No (more) TensorBoard event files in ${folder} (${reasonOf(error)}): the training goes on, and the curves are in its ` +
          'result all the same',
      );
    }
  };
  let writer: Tensor | undefined;
  attempt(() => {
    tf.tidy(() => {
      writer = tf.keep(native.summaryWriter(folder));
      native.createSummaryFileWriter(writer, folder);
    });
  });
  return {
    write: (step, values) =>
      attempt(() => {
        for (const [name, value] of Object.entries(values)) {
          if (name !== 'step') native.writeScalarSummary(writer!, step, name, value);
        }
      }),
    close: () => {
      attempt(() => native.flushSummaryWriter(writer!));
      writer?.dispose();
    },
  };
}

/** What TensorFlow says of a file, without where it was. */
const reasonOf = (error: unknown): string => {
  const { message } = error as Error;
  return /; ([A-Z][\w ]+)\n/.exec(`${message}\n`)?.[1] ?? message.split('\n')[0]!;
};
