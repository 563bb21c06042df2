import path from 'node:path';
import { findLeaks } from '../../../src/images/leak-check.js';
import type { Leak, VideoPrints } from '../../../src/images/leak-check.js';
import { loadPrints } from '../../../src/images/print-file.js';
import type { Json } from '../../../src/pipeline/json.js';
import { printable } from '../../../src/pipeline/printable.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { FinishedItem } from '../../../src/pipeline/stage.js';
import { UsageError } from '../../../src/pipeline/usage-error.js';
import { leaksParams } from '../params.js';
import { printsOf, usableVideos } from './index-videos.js';

/** A target picture that is a frame of a video. */
export type FoundLeak = {
  readonly target: string;
  readonly picture: string;
  readonly video: string;
  readonly seconds: number;
  readonly similarity: number;
};

const readPrints = ({ artefacts, label }: FinishedItem) => {
  const index = artefacts.find(({ name }) => name === 'prints.json');
  if (!index) throw new Error(`Expected the fingerprints of ${label} to have been written`);
  return loadPrints(path.dirname(index.path));
};

/** Frames of videos that are held at once, a kilobyte each: those of a hundred thousand videos would fill fifty gigabytes. */
const printsAtOnce = 200_000;

const describe = ({ target, picture, video, seconds, similarity }: FoundLeak): string =>
  `  ${printable(target)}: ${printable(picture)} is ${printable(video)} at ${seconds.toFixed(1)} s (similarity ${similarity.toFixed(2)})`;

/**
 * `leaks`: refuses a target whose pictures are frames of the videos that are learned from: what was seen in training would be
 * measured as if it were new. Compared by what a picture looks like from afar, so that re-encoding, scaling or mirroring
 * hides nothing; the fingerprints of the videos are those of `index`. It runs before the mining, so that no hour is spent on a run that cannot count.
 */
export const leaksStage = defineStage({
  name: 'leaks',
  version: 2,
  summary: 'make sure that no target shows what is learned from',
  params: leaksParams,
  sharedParams: () => ({}),
  inputs: ['index', 'targets'],
  onFailure: 'stop',
  items: (ctx) =>
    Promise.resolve(ctx.input('targets').items.map(({ label, content, payload }) => ({ label, content, payload }))),
  work: { module: new URL('./leaks.work.js', import.meta.url), runs: 'thread', reads: [] },
  reduce: async (ctx) => {
    const learned = usableVideos(ctx.input('index')).filter(({ repeats }) => repeats === undefined);
    const targets = await Promise.all(
      ctx.items
        .filter(({ status }) => status === 'done')
        .map(async (item) => ({ ...(await readPrints(item)), target: item.label, found: [] as Leak[] })),
    );
    const search = (batch: readonly VideoPrints[]): void => {
      for (const { prints, found } of targets) for (const leak of findLeaks(prints, batch)) found.push(leak);
    };
    let batch: VideoPrints[] = [];
    let held = 0;
    for (const { item } of learned) {
      const frames = await printsOf(item);
      batch.push({ video: item.label, frames });
      held += frames.length;
      if (held < printsAtOnce) continue;
      search(batch);
      [batch, held] = [[], 0];
    }
    search(batch);
    const leaks = targets.flatMap(({ target, names, found }) =>
      found
        .sort((p, q) => p.image - q.image || q.similarity - p.similarity)
        .map(({ image, video, time, similarity }): FoundLeak => ({
          ...{ target, picture: names[image]!, video, seconds: time, similarity },
        })),
    );
    if (leaks.length > 0) {
      const pictures = new Set(leaks.map(({ target, picture }) => `${target}\n${picture}`)).size;
      const shown = leaks.slice(0, 10).map(describe);
      const rest = leaks.length > shown.length ? [`  and ${leaks.length - shown.length} more`] : [];
      const found = [`${pictures} target picture(s) are frames of videos that are learned from:`, ...shown, ...rest];
      if (ctx.params.action === 'refuse') {
        throw new UsageError(
          `${found.join('\n')}\nLeave these videos or pictures out, or say that it is meant: --set leaks.action=report`,
        );
      }
      for (const line of found) ctx.log(line);
    }
    return { data: { leaks: leaks as unknown as Json, compared: learned.length } };
  },
});
