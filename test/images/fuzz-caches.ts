import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadSavedDetection, saveDetection } from '../../src/images/detection-file.js';
import { fingerprintOf } from '../../src/images/frame-fingerprint.js';
import { loadPairCache, openPairCache, writePairCache } from '../../src/images/pair-cache-file.js';
import { closePictureFile, areInFile, openPictureFile, readPictures } from '../../src/images/picture-file.js';
import { loadPixelCache, openPixelCache, writePixelCache } from '../../src/images/pixel-cache-file.js';
import { pixelCacheOf } from '../../src/images/pixel-cache.js';
import { loadPrints, savePrints } from '../../src/images/print-file.js';
import { loadClasses, loadSavedNormals, saveClasses, saveNormals } from '../../src/images/target-file.js';
import type { Pictures } from '../../src/images/picture-file.js';
import type { Raster } from '../../src/numeric/raster.js';
import { encodeJpeg } from '../../src/shards/jpeg.js';
import type { PairRecord } from '../../src/shards/pair-record.js';
import { OUTSIDE, type CaseFiles, type FuzzedReader, type HandMade } from '../fuzzing/fuzzed-reader.js';

const raster = (value: number, side = 8): Raster => ({
  width: side,
  height: side,
  channels: 3,
  data: new Uint8Array(side * side * 3).fill(value),
});

/** The files that something writes into a folder. */
const filesOf = async (write: (folder: string) => Promise<unknown>): Promise<CaseFiles> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cache-'));
  try {
    await write(folder);
    return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name))]));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const words = ['"__proto__":', '"../outside/x":', '"kind":"Float64Array"', '"length":9007199254740993', '-1', '1e999', 'null', '[]', '"arrays":{}', '"about":null']; // prettier-ignore

/** Cases for whatever `saveArrays` wrote under a name. */
const indexCases = async (name: string, files: CaseFiles): Promise<readonly HandMade[]> => {
  const index = JSON.parse(Buffer.from(files[`${name}.json`] as Uint8Array).toString()) as { about: object; arrays: Record<string, { kind: string; length: number }> }; // prettier-ignore
  const [first] = Object.keys(index.arrays) as [string];
  const put = (what: string, value: unknown): HandMade => ({
    name: what,
    files: { [`${name}.json`]: typeof value === 'string' ? value : JSON.stringify(value) },
  });
  const array = index.arrays[first]!;
  return [
    put('null', 'null'),
    put('no JSON', '{'),
    put('a list', '[]'),
    put('no arrays', { about: index.about }),
    put('no words about them', { arrays: index.arrays }),
    put('an array that leads out', {
      ...index,
      arrays: { ...index.arrays, [`../../outside/${name}.${first}`]: array },
    }),
    put('an array of an unknown kind', {
      ...index,
      arrays: { ...index.arrays, [first]: { ...array, kind: 'constructor' } },
    }),
    put('an array without bounds', { ...index, arrays: { ...index.arrays, [first]: { ...array, length: 2 ** 52 } } }),
    put('an array below nothing', { ...index, arrays: { ...index.arrays, [first]: { ...array, length: -1 } } }),
    put('an array of a part', { ...index, arrays: { ...index.arrays, [first]: { ...array, length: 0.5 } } }),
    put('about null', { ...index, about: null }),
    ...Object.keys(index.about).flatMap((field) =>
      [null, -1, 1e15, 'x', [], {}, [[['x']]]].map(
        (value) =>
        ({ ...put(`${field} is ${JSON.stringify(value)}`, { ...index, about: { ...index.about, [field]: value } }), expected: 'either' as const }), // prettier-ignore
      ),
    ),
    put('a million deep', '['.repeat(1_000_000)),
    { name: 'the index is a device', links: { [`${name}.json`]: '/dev/zero' } },
    { name: 'the index is a pipe', pipes: [`${name}.json`] },
    { name: 'an array is a pipe', pipes: [`${name}.${first}.bin`] },
    { name: 'an array is not there', without: [`${name}.${first}.bin`] },
    { name: 'an array is a link out', links: { [`${name}.${first}.bin`]: `${OUTSIDE}/${name}.${first}.bin` } },
    { name: 'an array is a hole of 3 GB', holes: { [`${name}.${first}.bin`]: 3e9 } },
  ];
};

/** Looks at every number that later steps take for a place in memory. */
const use = (pictures: Pictures): void => {
  if (!areInFile(pictures)) {
    const bytes = pictures.count * pictures.size ** 2 * 3;
    if (pictures.pixels.length !== bytes) throw new TypeError(`${pictures.pixels.length} bytes for ${bytes}`);
    return;
  }
  const file = openPictureFile(pictures);
  try {
    readPictures(
      file,
      0,
      Array.from({ length: file.count }, () => new Uint8Array(file.size ** 2 * 3)),
    );
  } finally {
    closePictureFile(file);
  }
};

const inBounds = (numbers: ArrayLike<number>, least: number, most: number): void => {
  for (let i = 0; i < numbers.length; i++) {
    if (!(numbers[i]! >= least && numbers[i]! < most)) throw new TypeError(`${numbers[i]} of ${most}`);
  }
};

const reader = (
  name: string,
  file: string,
  write: (folder: string) => Promise<unknown>,
  read: (folder: string) => Promise<void>,
): FuzzedReader => ({
  // prettier-ignore
  name,
  samples: async () => {
    const files = await filesOf(write);
    return [{ name: file, files, changed: [`${file}.json`, ...Object.keys(files)] }];
  },
  dictionary: words,
  handMade: async () => indexCases(file, await filesOf(write)),
  read,
});

const memory = { memoryBytes: 1, shuffle: 'uniform' } as const;

const pixels = reader(
  'pixel caches',
  'pictures',
  async (folder) => {
    const jpegs = await Promise.all([10, 200].map((value) => encodeJpeg(raster(value))));
    await writePixelCache(
      folder,
      jpegs.map((bytes, i) => ({ label: `${i}`, read: () => bytes })),
      8,
    );
  },
  async (folder) => {
    use(await loadPixelCache(folder));
    use(await openPixelCache(folder, memory));
  },
);

const box = { x: 1, y: 2, width: 20, height: 20 };
const record = (key: string): PairRecord => ({
  ...{ key, video: key.repeat(32), videoLabel: 'v.mp4', workingSize: [64, 48], shot: 0, startFrame: 0, endFrame: 2 },
  ...{ startTime: 0, endTime: 0.1, boxes: [box, box, box], peaks: [0.5, 0.6], minPeak: 0.5, forwardBackwardIou: 0.9 },
  ...{ movingShare: 0.3, movingPointsInside: 5, points: 50, meanMotionPx: 2, accepted: 'yes', untrackedBox: box },
});

const pairs = reader(
  'pair caches',
  'pairs',
  async (folder) => {
    const jpeg = await encodeJpeg(raster(90));
    await writePairCache(
      folder,
      [
        { record: record('a1'), a: jpeg, b: jpeg, u: jpeg },
        { record: record('b2'), a: jpeg, b: jpeg },
      ],
      8,
    );
  },
  async (folder) => {
    for (const cache of [await loadPairCache(folder), await openPairCache(folder, memory)]) {
      use(cache.pixels);
      inBounds(cache.a, 0, cache.pixels.count);
      inBounds(cache.b, 0, cache.pixels.count);
      inBounds(cache.u, -1, cache.pixels.count);
      inBounds(cache.video, 0, cache.videos.length);
      const lengths = [cache.b, cache.u, cache.video, cache.keys].map(({ length }) => length);
      if (lengths.some((length) => length !== cache.a.length) || cache.places.length !== 10 * cache.a.length)
        throw new TypeError('tables of other lengths');
    }
  },
);

const classes = reader(
  'decoded classes',
  'classes',
  async (folder) => {
    const [train, test] = [pixelCacheOf([raster(1), raster(2)]), pixelCacheOf([raster(3)])];
    const labels = { trainLabels: Int32Array.of(0, 1), testLabels: Int32Array.of(1) };
    await saveClasses(folder, { classes: ['a', 'b'], train, test, ...labels, digest: 'd' });
  },
  async (folder) => {
    const loaded = await loadClasses(folder);
    use(loaded.train);
    use(loaded.test);
    inBounds(loaded.trainLabels, 0, loaded.classes.length);
    inBounds(loaded.testLabels, 0, loaded.classes.length);
  },
);

const normals = reader(
  'decoded normals',
  'normals',
  async (folder) => {
    const maps = { width: 4, height: 3, normals: new Float32Array(2 * 36), valid: new Uint8Array(2 * 12) };
    const colour = pixelCacheOf([raster(1), raster(2)]);
    await saveNormals(folder, {
      frames: ['0', '1'],
      rooms: [{ name: 'r', frames: 2, camera: 'c' }],
      colour,
      ...maps,
      digest: 'd',
    });
  },
  async (folder) => {
    const { colour, frames, rooms = [], width, height, normals, valid } = await loadSavedNormals(folder);
    use(colour);
    const sum = rooms.reduce((all, room) => all + room.frames, 0);
    const cells = frames.length * width * height;
    if (
      colour.count !== frames.length ||
      normals.length !== 3 * cells ||
      valid.length !== cells ||
      (rooms.length > 0 && sum !== frames.length)
    )
      throw new TypeError('maps of another size');
  },
);

const detection = reader(
  'decoded detection',
  'detection',
  async (folder) => {
    const objects = [{ label: 0, box: { x: 1, y: 1, width: 3, height: 3 }, difficult: false, crowd: false }];
    const image = (name: string) => ({ name, raster: raster(5), scale: 1, objects });
    await saveDetection(folder, { classes: ['a'], train: [image('1')], test: [image('2')], digest: 'd' });
  },
  async (folder) => {
    const loaded = await loadSavedDetection(folder);
    for (const { raster, objects } of [...loaded.train, ...loaded.test]) {
      const { width, height, channels, data } = raster;
      if (data.length !== width * height * channels) throw new TypeError('a picture of another size');
      inBounds(
        objects.map(({ label }) => label),
        0,
        loaded.classes.length,
      );
      for (const { box } of objects) inBounds([box.x, box.y, box.width, box.height], 0, 1e5);
    }
  },
);

const prints = reader(
  'fingerprints',
  'prints',
  async (folder) => {
    const grey = { width: 40, height: 30, data: new Uint8Array(1200).map((_, i) => (i * 37) % 256) };
    await savePrints(
      folder,
      [
        { time: 0, ...fingerprintOf(grey) },
        { time: 1, ...fingerprintOf(grey) },
      ],
      ['a', 'b'],
    );
  },
  async (folder) => {
    const { prints, names } = await loadPrints(folder);
    for (const { time, whole, middle } of prints) {
      if (typeof time !== 'number' || typeof whole.deviation !== 'number' || typeof middle.hash[1] !== 'number')
        throw new TypeError('a print of nothing');
    }
    for (const name of names) if (typeof name !== 'string') throw new TypeError('a name of nothing');
  },
);

/** The readers of decoded pictures and what goes with them, as a run folder of strangers may hold them. */
export const readers: readonly FuzzedReader[] = [pixels, pairs, classes, normals, detection, prints];
