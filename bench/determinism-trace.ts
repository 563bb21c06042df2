import { createHash } from 'node:crypto';
import { tf, type Tensor } from '../src/runtime/tensors.js';
import { captureArrays, type TrainedParts } from '../src/training/train-state.js';

/** What a run stands at: sha256 of its arrays, by what they belong to. */
export type StatePrint = {
  readonly step: number;
  /** `trunk`, `buffers`, `heads`, `optimizer`, `method`. */
  readonly parts: Readonly<Record<string, string>>;
};

/** Prints all that a run would need to go on. */
export const printState = <V>(step: number, parts: TrainedParts<V>): StatePrint => {
  const hashes = new Map<string, ReturnType<typeof createHash>>();
  for (const [name, { data }] of captureArrays(parts)) {
    const group = name.slice(0, name.indexOf('/'));
    const hash = hashes.get(group) ?? createHash('sha256');
    hashes.set(group, hash.update(name).update(bytesOf(data)));
  }
  return { step, parts: Object.fromEntries([...hashes].map(([group, hash]) => [group, hash.digest('hex')])) };
};

/** The first state in which two runs differ, with the parts that do; and the last before it in which they do not. */
export const firstDifference = (
  one: readonly StatePrint[],
  other: readonly StatePrint[],
): { readonly equalAt: number; readonly step: number; readonly parts: string[] } | undefined => {
  let equalAt = 0;
  for (const [i, { step, parts }] of one.entries()) {
    const names = Object.keys(parts).filter((name) => parts[name] !== other[i]?.parts[name]);
    if (names.length > 0) return { equalAt, step, parts: names };
    equalAt = step;
  }
  return undefined;
};

/** An op that ran: its name, and shapes and a hash of what it gave. */
export type OpPrint = { readonly op: string; readonly shapes: readonly string[]; readonly hash: string };

/** The first op that gave other bytes, by its place in the order; or where the runs took other ops. */
export const firstOpThatDiffers = (
  one: readonly OpPrint[],
  other: readonly OpPrint[],
): { readonly at: number; readonly op: string; readonly shapes: readonly string[] } | undefined => {
  const at = one.findIndex(({ op, hash }, i) => op !== other[i]?.op || hash !== other[i].hash);
  return at < 0 ? undefined : { at, op: one[at]!.op, shapes: one[at]!.shapes };
};

/** What is used of tfjs-node's backend: every op of TensorFlow goes through one of these. */
type NodeBackend = {
  executeSingleOutput(name: string, attributes: unknown, inputs: readonly Tensor[]): Tensor;
  executeMultipleOutputs(name: string, attributes: unknown, inputs: readonly Tensor[], outputs: number): Tensor[];
};

/** Counts every op that native TensorFlow is asked for, and, while `record` is on, prints what it gave. */
export class OpTrace {
  readonly counts = new Map<string, number>();
  readonly prints: OpPrint[] = [];
  record = false;
  #reading = false;

  /** Puts itself before the backend of this process. */
  constructor() {
    const backend = tf.backend() as unknown as NodeBackend;
    const single = backend.executeSingleOutput.bind(backend);
    const multiple = backend.executeMultipleOutputs.bind(backend);
    backend.executeSingleOutput = (name, attributes, inputs) => {
      const output = single(name, attributes, inputs);
      this.#saw(name, [output]);
      return output;
    };
    backend.executeMultipleOutputs = (name, attributes, inputs, count) => {
      const outputs = multiple(name, attributes, inputs, count);
      this.#saw(name, outputs);
      return outputs;
    };
  }

  #saw(op: string, outputs: readonly Tensor[]): void {
    if (this.#reading) return;
    this.counts.set(op, (this.counts.get(op) ?? 0) + 1);
    if (!this.record) return;
    this.#reading = true;
    try {
      const hash = createHash('sha256');
      for (const output of outputs) {
        if (output.dtype === 'float32' || output.dtype === 'int32' || output.dtype === 'bool') {
          hash.update(bytesOf(output.dataSync() as Float32Array));
        }
      }
      const shapes = outputs.map(({ shape }) => `[${shape.join(', ')}]`);
      this.prints.push({ op, shapes, hash: hash.digest('hex').slice(0, 16) });
    } finally {
      this.#reading = false;
    }
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
