import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { readVocAnnotation } from '../../../../src/images/voc-annotation.js';
import type { Detection, ImageTruth } from '../../../../src/transfer/detection/metrics/detections.js';
import { object } from './random-pictures.js';

const images = path.resolve('..', 'shared', 'data', 'images');
const references = path.join(images, 'evalrefs');

/** Skips a test, with a message, where the reference values do not lie beside the project. */
export const skipWithoutReferences = (test: Mocha.Context): void => {
  if (existsSync(references)) return;
  console.log('      (skipped: no shared data beside the project)');
  test.skip();
};

/** A reference file, as JSON. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- files of others, each with a shape of its own
export const readReference = (name: string): any => JSON.parse(readFileSync(path.join(references, name), 'utf8'));

/** What an evaluator is given. */
export type Case = { truth: ImageTruth[]; detections: Detection[]; classes: readonly string[] };

const rows = (file: string): string[][] =>
  readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));

/** Seven pictures of rafaelpadilla/Object-Detection-Metrics: `class [score] x y width height`. */
export const sevenPictures = (): Case => {
  const dir = path.join(references, 'object-detection-metrics');
  const names = readdirSync(path.join(dir, 'groundtruths')).sort();
  const box = ([x, y, width, height]: number[]) => ({ x: x!, y: y!, width: width!, height: height! });
  return {
    classes: ['person'],
    truth: names.map((name) => ({
      objects: rows(path.join(dir, 'groundtruths', name)).map((row) => object(0, box(row.slice(1).map(Number)))),
    })),
    detections: names.flatMap((name, image) =>
      rows(path.join(dir, 'detections', name)).map((row) => ({
        image,
        label: 0,
        score: Number(row[1]),
        box: box(row.slice(2).map(Number)),
      })),
    ),
  };
};

/**
 * Hundred pictures of VOC2012 with a detector's boxes (rafaelpadilla/review_object_detection_metrics). Corners are as they stand in
 * the files: `width = xmax - xmin`.
 */
export const hundredOfVoc = (): Case => {
  const database = path.join(references, 'review-odm', 'data', 'database');
  const annotations = path.join(images, 'detection', 'voc2012-100', 'Annotations');
  const classes = rows(path.join(database, 'voc.names')).map(([name]) => name as string);
  const names = readdirSync(annotations)
    .map((file) => file.replace(/\.xml$/, ''))
    .sort();
  const found = path.join(database, 'dets', 'abs_xyx2y2');
  return {
    classes,
    truth: names.map((name) => ({
      objects: readVocAnnotation(readFileSync(path.join(annotations, `${name}.xml`)), name).objects.map(
        ({ className, box: { x, y, width, height }, difficult }) =>
          object(
            classes.indexOf(className),
            { x: x + 1, y: y + 1, width: width - 1, height: height - 1 },
            { difficult },
          ),
      ),
    })),
    detections: readdirSync(found)
      .sort()
      .flatMap((file) =>
        rows(path.join(found, file)).map((row) => {
          const [label, score, x0, y0, x1, y1] = row.map(Number) as [number, number, number, number, number, number];
          const image = names.indexOf(file.replace(/\.txt$/, ''));
          return { image, label, score, box: { x: x0, y: y0, width: x1 - x0, height: y1 - y0 } };
        }),
      ),
  };
};

/** The same with VOC's last pixel counted in, as the readers of this project give boxes. */
export const withLastPixels = ({ truth, detections, classes }: Case): Case => {
  const grow = <T extends { box: { x: number; y: number; width: number; height: number } }>(one: T): T => ({
    ...one,
    box: { x: one.box.x - 1, y: one.box.y - 1, width: one.box.width + 1, height: one.box.height + 1 },
  });
  return {
    classes,
    truth: truth.map(({ objects }) => ({ objects: objects.map(grow) })),
    detections: detections.map(grow),
  };
};

/** Hundred pictures of COCO val2014: 830 boxes and 734 detections that the official evaluator was run on. */
export const hundredOfCoco = (): Case => {
  const dir = path.join('review-odm', 'tests', 'test_coco_eval');
  const gt = readReference(path.join(dir, 'gts', 'sampled_gts_bbox_area.json'));
  const found = readReference(path.join(dir, 'dets', 'sampled_bbox_results.json'));
  const ids = gt.images.map(({ id }: { id: number }) => id).sort((a: number, b: number) => a - b);
  const categories = gt.categories.map(({ id }: { id: number }) => id);
  type Annotation = { image_id: number; category_id: number; bbox: [number, number, number, number] };
  const box = ({ bbox: [x, y, width, height] }: Annotation) => ({ x, y, width, height });
  const truth: { objects: ReturnType<typeof object>[] }[] = ids.map(() => ({ objects: [] }));
  for (const one of gt.annotations as (Annotation & { area: number; iscrowd: number })[]) {
    const crowd = one.iscrowd === 1;
    const label = categories.indexOf(one.category_id);
    truth[ids.indexOf(one.image_id)]!.objects.push(object(label, box(one), { crowd, area: one.area }));
  }
  return {
    classes: gt.categories.map(({ name }: { name: string }) => name),
    truth,
    detections: found.annotations.map((one: Annotation & { score: number }) => ({
      image: ids.indexOf(one.image_id),
      label: categories.indexOf(one.category_id),
      score: one.score,
      box: box(one),
    })),
  };
};
