import { createRequire } from 'node:module';

// A program of its own, which `doctor` starts once for each thing that it tries: see try-in-process.ts. Prints one line.

const require = createRequire(import.meta.url);

/** A product of two matrices that has a known sum, computed with whatever `openRuntime` gives. */
const compute = async (device: 'cpu' | 'gpu' | 'wasm'): Promise<string> => {
  const { openRuntime } = await import('../open.js');
  const { tf } = await import('../tensors.js');
  const { version } = await openRuntime({ device, threads: 1 });
  const ones = tf.ones([64, 64]);
  const [sum] = await tf.matMul(ones, ones).sum().data();
  if (sum !== 64 ** 3) throw new Error(`a product of matrices came to ${sum}, not to ${64 ** 3}`);
  return version;
};

const probes: Readonly<Record<string, (argument: string) => Promise<string>>> = {
  sharp: async () => {
    const { default: sharp } = await import('sharp');
    const picture = { create: { width: 8, height: 8, channels: 3, background: '#fff' } } as const;
    await sharp(picture).jpeg().toBuffer();
    return `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
  },
  libsql: async () => {
    const { default: Database } = await import('libsql');
    const database = new Database(':memory:');
    const { version } = database.prepare('SELECT sqlite_version() AS version').get() as { version: string };
    return `libsql, SQLite ${version}`;
  },
  'opencv-wasm': async () => {
    const { cv } = require('opencv-wasm') as { cv: { Mat: new () => { delete(): void } } };
    new cv.Mat().delete();
    return `opencv-wasm ${(require('opencv-wasm/package.json') as { version: string }).version}`;
  },
  tensorflow: (device) => compute(device as 'cpu' | 'gpu'),
  wasm: () => compute('wasm'),
  /** `argument`: the address of a module that has `findFfmpeg`, of a room that this one does not know. */
  ffmpeg: async (argument) => {
    type Found = { version: string; source: string; path: string };
    const { findFfmpeg } = (await import(argument)) as { findFfmpeg(): Promise<Found> };
    const { version, source, path } = await findFfmpeg();
    return JSON.stringify({ version, source, path });
  },
};

const [name = '', argument = ''] = process.argv.slice(2);
console.log(await probes[name]!(argument));
