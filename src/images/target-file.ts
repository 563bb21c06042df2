import { z } from 'zod';
import { checkLength, checkNumbers, loadArrays, saveArrays } from './array-files.js';
import type { LoadedClasses } from './class-dataset.js';
import { pictureSide } from './pixel-cache.js';
import type { LoadedNormals } from './rgbd-dataset.js';

const classesSchema = z.object({
  ...{ classes: z.array(z.string()), size: pictureSide },
  ...{ trainDigest: z.string(), testDigest: z.string(), digest: z.string() },
});
type ClassesAbout = z.infer<typeof classesSchema>;

/** Writes a decoded classification target into a folder as `classes.*`. */
export const saveClasses = async (dir: string, loaded: LoadedClasses): Promise<void> => {
  const { classes, train, test, trainLabels, testLabels, digest } = loaded;
  const about: ClassesAbout = {
    classes: [...classes],
    size: train.size,
    trainDigest: train.digest,
    testDigest: test.digest,
    digest,
  };
  await saveArrays(dir, 'classes', about, { train: train.pixels, test: test.pixels, trainLabels, testLabels });
};

/** Reads what {@link saveClasses} wrote. */
export const loadClasses = async (dir: string): Promise<LoadedClasses> => {
  const { about, array, length } = await loadArrays(dir, 'classes', { about: classesSchema });
  const { classes, size, trainDigest, testDigest, digest } = about;
  const trainLabels = array('trainLabels', 'Int32Array');
  const testLabels = array('testLabels', 'Int32Array');
  for (const [part, labels] of [['train', trainLabels] as const, ['test', testLabels] as const]) {
    checkNumbers(labels, 0, classes.length, `labels of ${part}`);
    checkLength(length(part), labels.length * size ** 2 * 3, `bytes of ${part}`);
  }
  return {
    classes,
    trainLabels,
    testLabels,
    digest,
    train: { count: trainLabels.length, size, pixels: array('train', 'Uint8Array'), digest: trainDigest },
    test: { count: testLabels.length, size, pixels: array('test', 'Uint8Array'), digest: testDigest },
  };
};

const whole = z.int().min(0);
const normalsSchema = z.object({
  frames: z.array(z.string()),
  rooms: z.array(z.object({ name: z.string(), frames: whole, camera: z.string() })),
  ...{ count: whole, size: pictureSide, colourDigest: z.string(), width: whole, height: whole, digest: z.string() },
});
type NormalsAbout = z.infer<typeof normalsSchema>;

/** Writes a decoded normals target into a folder as `normals.*`. */
export const saveNormals = async (dir: string, loaded: LoadedNormals): Promise<void> => {
  const { frames, rooms = [], colour, width, height, normals, valid, digest } = loaded;
  const about: NormalsAbout = {
    frames: [...frames],
    rooms: rooms.map((room) => ({ ...room })),
    count: colour.count,
    size: colour.size,
    colourDigest: colour.digest,
    width,
    height,
    digest,
  };
  await saveArrays(dir, 'normals', about, { colour: colour.pixels, normals, valid });
};

/** Reads what {@link saveNormals} wrote. */
export const loadSavedNormals = async (dir: string): Promise<LoadedNormals> => {
  const { about, array, length } = await loadArrays(dir, 'normals', { about: normalsSchema });
  const { frames, rooms, count, size, colourDigest, width, height, digest } = about;
  const cells = frames.length * width * height;
  checkLength(count, frames.length, 'pictures');
  checkLength(length('colour'), count * size ** 2 * 3, 'bytes of pictures');
  checkLength(length('normals'), 3 * cells, 'numbers of normals');
  checkLength(length('valid'), cells, 'cells');
  const inRooms = rooms.reduce((sum, room) => sum + room.frames, 0);
  if (rooms.length > 0) checkLength(inRooms, frames.length, 'frames in rooms');
  return {
    frames,
    ...(rooms.length > 0 ? { rooms } : {}),
    width,
    height,
    digest,
    colour: { count, size, pixels: array('colour', 'Uint8Array'), digest: colourDigest },
    normals: array('normals', 'Float32Array'),
    valid: array('valid', 'Uint8Array'),
  };
};
