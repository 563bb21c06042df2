import path from 'node:path';
import { writeFigure } from '../../src/drawing/write-figure.js';
import { groupBy } from '../../src/numeric/group-by.js';
import type { Result } from '../../src/pipeline/result.js';
import { filePart } from '../benchmark/transfer/measured.js';
import type { ImageMethod } from '../methods/image-method.js';
import { curveName, pointsOf, untrainedAt, variantAt, type Axes } from './grid.js';

/**
 * Draws a chart a data set and metric: the mean over seeds against the number of pictures learned from, a curve a trunk and
 * hardness, and a line a trunk without training. Returns the figures' paths.
 */
export const drawScaling = async (
  dir: string,
  method: ImageMethod,
  axes: Axes,
  results: readonly Result[],
): Promise<string[]> => {
  const byName = new Map(pointsOf(axes).map((point) => [variantAt(method, point).name, point]));
  const columns = groupBy(results, ({ dataset, protocol, metric }) => JSON.stringify([dataset, protocol, metric]));
  const files: string[] = [];
  for (const own of columns.values()) {
    const { dataset, protocol, metric } = own[0]!;
    const curves = groupBy(
      own.flatMap((result) => {
        const point = byName.get(result.method);
        return point ? [{ name: curveName(method, point), x: point.pictures, y: result.mean }] : [];
      }),
      ({ name }) => name,
    );
    if (curves.size === 0) continue;
    const untrained = axes.trunks.flatMap((trunk) => {
      const { name } = untrainedAt(trunk);
      return own.filter(({ method }) => method === name).map(({ mean }) => ({ name, y: mean }));
    });
    const name = `scaling-${filePart(dataset)}-${filePart(protocol)}-${filePart(metric)}`;
    await writeFigure(dir, name, {
      kind: 'scaling',
      title: `${dataset}: ${protocol} ${metric} over pictures learned from`,
      caption: `${method.title}: mean over seeds against the number of pictures, a curve a trunk and hardness; every point drew the same number of images.`,
      data: {
        x: 'pictures to learn from',
        y: `${protocol} ${metric}`,
        series: [...curves].map(([curve, entries]) => ({
          name: curve,
          points: entries.sort((a, b) => a.x - b.x).map(({ x, y }) => [x, y]),
        })),
        lines: untrained,
      },
    });
    files.push(path.join(dir, `${name}.figure.json`));
  }
  return files;
};
