import type { Box } from '../numeric/box.js';
import type { Raster } from '../numeric/raster.js';
import type { DataFile } from './file-tree.js';

/** One object of a picture, in pixels of that picture. */
export type DetectionObject = {
  /** Index into the data set's `classes`. */
  readonly label: number;
  /** Edges in continuous pixels from 0, inside the picture, never empty. */
  readonly box: Box;
  /** VOC: so hard to make out that evaluation neither asks for it nor counts it. */
  readonly difficult: boolean;
  /** COCO: one box around many of a kind; what is found inside is neither right nor wrong. */
  readonly crowd: boolean;
  /** Area of the object itself in square pixels (COCO's segment), by which COCO sorts small from large; that of the box if absent. */
  readonly area?: number;
};

/** A picture with its objects. */
export type DetectionImage = {
  readonly file: DataFile;
  /** The name in the annotations, without folder and ending. */
  readonly name: string;
  /** Size in px, of the picture as its boxes see it (see {@link openDetectionDataset} on cameras' orientation flags). */
  readonly width: number;
  readonly height: number;
  readonly objects: readonly DetectionObject[];
};

/** A detection data set, split for good: nothing of `test` may touch training or the choice of a setting. */
export type DetectionDataset = {
  /** The folder's name, for tables. */
  readonly name: string;
  /** Class names; labels index them. Each has a box in `train`. */
  readonly classes: readonly string[];
  readonly train: readonly DetectionImage[];
  readonly test: readonly DetectionImage[];
  /** Boxes that were left out, and why: one line each, naming the file. */
  readonly remarks: readonly string[];
  /** sha256 over contents, boxes, split and order; no paths of the machine. */
  readonly digest: string;
};

/** A decoded picture, no larger than was asked for, with its objects in pixels of the raster. */
export type LoadedImage = {
  readonly name: string;
  readonly raster: Raster;
  /** Raster px per px of the picture, at most 1. */
  readonly scale: number;
  readonly objects: readonly DetectionObject[];
};

/** A detection data set in memory. */
export type LoadedDetection = {
  readonly classes: readonly string[];
  readonly train: readonly LoadedImage[];
  readonly test: readonly LoadedImage[];
  readonly digest: string;
};
