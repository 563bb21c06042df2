import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createRaster, fillBox } from '../../../src/drawing/primitives.js';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import type { Figure } from '../../../src/pipeline/figure.js';
import type { Result } from '../../../src/pipeline/result.js';
import type { PageInput } from '../../../src/report/page/write-page.js';
import { knownResults, makeResult } from '../make-result.js';

/** What a folder could be called by somebody who means harm. */
export const hostile = `<script>document.title='owned'</script>"><img src=x onerror="document.title='owned'">`;

/** Kinds of figures that are pictures. */
export const pictureKinds = [
  'contact-sheet',
  'tracks',
  'neighbours',
  'map',
  'detections',
  'normals',
  'filters',
] as const;

const drawFigures = async (folder: string): Promise<string[]> => {
  await mkdir(folder, { recursive: true });
  const names: string[] = [];
  const draw = async (
    name: string,
    ...rest: [Parameters<typeof writeFigure>[2], Parameters<typeof writeFigure>[3]?]
  ) => {
    names.push(name);
    await writeFigure(folder, name, ...rest);
  };
  for (const [k, kind] of pictureKinds.entries()) {
    const raster = createRaster(200 + 100 * k, 60, [30 * k, 120, 200]);
    fillBox(raster, { x: 10, y: 10, width: 40, height: 40 }, [255, 176, 0]);
    await draw(kind, { kind, title: `A picture of ${kind}`, caption: `What \`${kind}\` shows.` }, raster);
  }
  const series = ['triplet', 'npid'].map((name, k) => ({
    name,
    points: [
      [0, 0.5],
      [50, 0.3 + k / 10],
      [100, 0.2],
    ],
  }));
  const data: Figure['data'] = { x: 'step', y: 'loss', series, lines: [{ name: 'uniform', y: 0.5 }] };
  await draw('loss', { kind: 'curves', title: 'Loss of two methods', caption: 'Loss over steps.', data });
  return names.map((name) => path.join(folder, `${name}.figure.json`));
};

/** `triplet` better than `random` and level with `shuffled` by paired tests, beside results without any. */
export const testedResults = (): Result[] => [
  makeResult('triplet', [40, 41, 42], {
    dataset: hostile,
    interval: [38.5, 43.5],
    images: 390,
    paired: [
      { control: 'random', difference: 20, interval: [15, 25], p: 0.0001, adjustedP: 0.0002 },
      { control: 'shuffled', difference: 1, interval: [-3, 5], p: 0.6, adjustedP: 0.6 },
    ],
  }),
  makeResult('random', [20, 21, 22], { dataset: hostile, interval: [18, 24], images: 390 }),
  makeResult('shuffled', [39, 40, 41], { dataset: hostile, interval: [37, 43], images: 390 }),
];

/** A whole page's input, its figures drawn into `folder`, its page to be written into `dir`. */
export const makePageInput = async (folder: string, dir: string): Promise<PageInput> => ({
  dir,
  pipeline: 'video-ssl',
  version: '0.1.0',
  config: { mine: { minMotionPx: 0.5 } },
  run: {
    videos: 6,
    pairs: 38,
    videosWithPairs: 4,
    methods: ['random', 'shuffled', 'triplet'],
    seeds: [1, 2, 3],
    runtimes: ['tensorflow 2, 2 threads'],
  },
  stages: [
    {
      name: 'mine',
      key: 'a'.repeat(64),
      seconds: 12.34,
      items: { done: 3, rejected: 1, failed: 0 },
      problems: [{ label: hostile, status: 'rejected', reason: 'no video stream' }],
    },
    { name: 'pretrain', key: 'b'.repeat(64), seconds: 3700, items: { done: 9, rejected: 0, failed: 0 } },
  ],
  results: [...knownResults(), ...testedResults()],
  figures: await drawFigures(folder),
  provenance: { ffmpeg: '9.0.2', weights: { 'triplet, seed 1': 'c'.repeat(64) }, [hostile]: hostile },
  mining: {
    'step: tracked': 30,
    'step: too-little-motion': 90,
    'step: no-camera': 0,
    'track: pair': 4,
    'track: lost': 7,
  },
  sources: [
    {
      name: hostile,
      role: 'videos',
      origin: 'a collection',
      terms: 'CC BY 4.0',
      statedIn: 'MANIFEST.tsv',
      digest: 'e'.repeat(64),
    },
    { name: 'objects', role: 'classification' },
  ],
});
