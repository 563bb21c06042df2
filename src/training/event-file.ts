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
 * line to `log` says so and nothing is returned.
 */
export function openEventFile(folder: string, log: (line: string) => void): EventFile | undefined {
  const backend = tf.backend() as unknown as Partial<SummaryBackend>;
  if (typeof backend.summaryWriter !== 'function') {
    log('No TensorBoard event files: they need native TensorFlow (the curves are in the result all the same)');
    return undefined;
  }
  const native = backend as SummaryBackend;
  const writer = tf.tidy(() => {
    const resource = tf.keep(native.summaryWriter(folder));
    native.createSummaryFileWriter(resource, folder);
    return resource;
  });
  return {
    write: (step, values) => {
      for (const [name, value] of Object.entries(values)) {
        if (name !== 'step') native.writeScalarSummary(writer, step, name, value);
      }
    },
    close: () => {
      native.flushSummaryWriter(writer);
      writer.dispose();
    },
  };
}
