import { loadArrays, saveArrays } from './array-files.js';
import type { LoadedClasses } from './class-dataset.js';
import type { LoadedNormals } from './rgbd-dataset.js';

type ClassesAbout = { classes: string[]; size: number; trainDigest: string; testDigest: string; digest: string };

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
  const { about, array } = await loadArrays(dir, 'classes');
  const { classes, size, trainDigest, testDigest, digest } = about as ClassesAbout;
  const trainLabels = array('trainLabels', 'Int32Array');
  const testLabels = array('testLabels', 'Int32Array');
  return {
    classes,
    trainLabels,
    testLabels,
    digest,
    train: { count: trainLabels.length, size, pixels: array('train', 'Uint8Array'), digest: trainDigest },
    test: { count: testLabels.length, size, pixels: array('test', 'Uint8Array'), digest: testDigest },
  };
};

type NormalsAbout = {
  frames: string[];
  rooms: { name: string; frames: number; camera: string }[];
  count: number;
  size: number;
  colourDigest: string;
  width: number;
  height: number;
  digest: string;
};

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
  const { about, array } = await loadArrays(dir, 'normals');
  const { frames, rooms, count, size, colourDigest, width, height, digest } = about as NormalsAbout;
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
