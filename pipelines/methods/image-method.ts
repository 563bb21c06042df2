import type { z } from 'zod';
import type { DrawView } from '../../src/contrast/views.js';
import type { AugmentationPolicy, ViewSpec } from '../../src/images/augmentation.js';
import type { Method } from '../../src/training/method.js';

/** How one view of a sample is made. */
export type ViewPlan = {
  readonly policy: AugmentationPolicy;
  /** Side of the view in px. @default the input of the trunk */
  readonly size?: number;
};

/** What the views of a method may depend on. */
export type ViewSetting = {
  /** The augmentation that all methods of a run share; absent where each follows the recipe of its own paper. */
  readonly base?: AugmentationPolicy;
  /** Input side of the trunk, px. */
  readonly inputSize: number;
};

/** What a method needs to know of a run. */
export type MethodContext = {
  /** Draws the views that `views` plans, by number. */
  readonly drawView: DrawView<ViewSpec>;
  /** Input side of the trunk, px. */
  readonly inputSize: number;
  /** Optimiser steps of the whole run: schedules and warm-ups are shares of it. */
  readonly steps: number;
  /** Samples a step. */
  readonly batchSize: number;
  /** Samples there are. */
  readonly samples: number;
};

/**
 * An image-based method as the pipelines know it: its parameters, its views, and how it is put together. What is said here is all
 * that tables, options and presets need to know of it.
 */
export type ImageMethod<P extends object = object> = {
  /** In small letters, as in tables and options: `moco-v2`. */
  readonly name: string;
  /** As its authors write it: `MoCo v2`. */
  readonly title: string;
  /** `Chen et al. 2020`. */
  readonly paper: string;
  /** What it learns from, in a line. */
  readonly summary: string;
  /** Its own parameters: `--set pretrain.NAME.KEY=…`. Every one has a default and a description. */
  readonly params: z.ZodType<P>;
  /** The views of a sample, in order. */
  readonly views: (params: P, setting: ViewSetting) => readonly ViewPlan[];
  /**
   * Pictures of the trunk's input size that a sample is worth in the budget of image draws, by area: 2 for two views, 4 for four
   * rotations of one.
   * @default the area of all views over that of the input
   */
  readonly imagesPerSample?: (params: P, setting: ViewSetting) => number;
  /** What the two ends of a track can be to it: its two views, the one picture of a sample (one end drawn anew each time), or nothing. */
  readonly tracks: 'two views' | 'one of both' | 'none';
  /** What makes its task harder (Goyal et al. 2019), for studies of scale: a parameter, and values of it to try. */
  readonly hardness?: { readonly parameter: string; readonly words: string; readonly values: readonly number[] };
  /** Whether there is nothing to learn from grey pictures. @default false */
  readonly needsColour?: boolean;
  /** @throws RangeError where parameters do not fit each other or the samples: asked before anything is trained */
  create(params: P, context: MethodContext): Method<ViewSpec>;
};

/** Lets a method be written with its own parameter type and stand in a list of methods. */
export const defineMethod = <P extends object>(method: ImageMethod<P>): ImageMethod => method as unknown as ImageMethod;
