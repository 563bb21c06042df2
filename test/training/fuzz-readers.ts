import { createHash } from 'node:crypto';
import path from 'node:path';
import { encodeSafetensors, type StoredTensor } from '../../src/network/safetensors.js';
import { loadCheckpoint } from '../../src/training/checkpoints.js';
import type { TrainProgress } from '../../src/training/train-state.js';
import type { CaseFiles, FuzzedReader, HandMade } from '../fuzzing/fuzzed-reader.js';

const progress: TrainProgress = {
  ...{ config: { a: 1 }, step: 40, optimizerStep: 40, optimizerMissed: { w: 1 }, weights: null, pendingLosses: [1, 2] },
  ...{ history: [{ step: 20, loss: 1 }], health: { widest: 1, narrow: 0 }, runtime: 'cpu', threads: 1 },
};
const arrays = new Map<string, StoredTensor>([['trunk/w', { shape: [2], data: Float32Array.of(1, 2) }]]);

const named = (bytes: Uint8Array): CaseFiles => {
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { [`step-000000040.${hash}.safetensors`]: bytes };
};
const checkpoint = (text: string = JSON.stringify(progress), format = '1'): CaseFiles =>
  named(Buffer.concat(encodeSafetensors(arrays, { format, progress: text })));

/** Checkpoints whose hashes are right, as their maker would make them. */
const checkpoints: FuzzedReader = {
  name: 'checkpoints',
  samples: async () => [{ name: 'one', files: checkpoint() }],
  dictionary: [
    '\\"step\\":',
    '\\"config\\":null',
    '\\"history\\":',
    '-1',
    '1e999',
    'null',
    '[',
    '__metadata__',
    '\\"__proto__\\":',
  ],
  seal: (files) => Object.assign({}, ...Object.values(files).map((bytes) => named(bytes as Uint8Array))) as CaseFiles,
  handMade: async () => {
    const cases = ['null', '[]', '{}', 'x', '', '['.repeat(1_000_000), JSON.stringify({ ...progress, step: -1 }), JSON.stringify({ ...progress, history: [1] }), JSON.stringify({ ...progress, config: null }), JSON.stringify({ ...progress, pendingLosses: { length: 1e9 } })]; // prettier-ignore
    const gone = Object.keys(checkpoint());
    return [
      ...cases.map((text): HandMade => ({
        name: `progress ${text.slice(0, 40)}`,
        files: checkpoint(text),
        without: gone,
      })),
      { name: 'another format', files: checkpoint('{}', '2'), without: gone },
      { name: 'no checkpoint', files: { 'x.txt': 'x' }, without: gone, expected: 'read' },
    ];
  },
  read: async (folder) => {
    const state = await loadCheckpoint(path.join(folder), () => undefined);
    if (state && !Number.isInteger(state.progress.step)) throw new TypeError('a step that is none');
  },
};

/** The readers of this room that take what strangers made. */
export const readers: readonly FuzzedReader[] = [checkpoints];
