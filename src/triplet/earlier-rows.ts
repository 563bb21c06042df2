import type { RandomStream } from '../numeric/random.js';
import type { Tensor2D } from '../runtime/tensors.js';
import { FeatureQueue } from '../training/feature-queue.js';
import type { NamedArrays } from '../training/method.js';

/** No video: a row that no batch has filled yet. */
export const emptyRow = -1;

/** Embeddings of earlier batches as further negatives (a memory queue, He et al. 2020, 3.2), with the video and the sample of each. */
export class EarlierRows {
  readonly #features: FeatureQueue;
  readonly videos: Int32Array;
  readonly samples: Int32Array;
  #next = 0;

  constructor(rows: number, dim: number, random: RandomStream) {
    this.#features = new FeatureQueue(rows, dim, random);
    this.videos = new Int32Array(rows).fill(emptyRow);
    this.samples = new Int32Array(rows).fill(emptyRow);
  }

  /** All rows `[rows, dim]`; owned by the queue and valid until the next change. */
  tensor(): Tensor2D {
    return this.#features.tensor();
  }

  /** Puts rows `[count, dim]` in the place of the oldest. */
  push(vectors: Float32Array, videos: Int32Array, samples: Int32Array): void {
    this.#features.push(vectors);
    videos.forEach((video, i) => {
      this.videos[this.#next] = video;
      this.samples[this.#next] = samples[i]!;
      this.#next = (this.#next + 1) % this.videos.length;
    });
  }

  /** For the train state. */
  save(): NamedArrays {
    const shape = [this.videos.length];
    return {
      ...this.#features.save(),
      'queue/videos': { shape, data: this.videos.slice() },
      'queue/samples': { shape, data: this.samples.slice() },
    };
  }

  /** Takes all out of a train state. */
  load(state: NamedArrays): void {
    this.#features.load(state);
    const { 'queue/videos': videos, 'queue/samples': samples, 'queue/next': next } = state;
    if (!videos || !samples) throw new Error('Expected videos and samples of the queue in the state, got none');
    this.videos.set(videos.data);
    this.samples.set(samples.data);
    this.#next = next!.data[0]!;
  }

  /** Frees the tensor. */
  dispose(): void {
    this.#features.dispose();
  }
}
