import type { Json } from './json.js';
import type { Stage } from './stage.js';

/** Parameters by stage name; values are checked by the stage's zod schema. */
export type ParamsTree = { readonly [stage: string]: { readonly [key: string]: Json } };

/** An option that only this pipeline has, as the command line sees it. */
export type PipelineOption = {
  /** `--videos` */
  readonly flag: string;
  /** `DIR|LIST.txt`; absent where the option stands for itself (its value is then `true`). */
  readonly value?: string;
  readonly help: string;
};

/** What the pipeline's own options came to, by flag without dashes. */
export type PipelineArguments = {
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly seed: number;
  readonly seeds: number;
};

/** A list of stages with its presets: what `npm run pipeline NAME` runs. */
export type Pipeline = {
  readonly name: string;
  /** Another name for the command line, where the package's command would otherwise be said twice (`video-ssl run`). */
  readonly alias?: string;
  readonly summary: string;
  /** What it needs, for the listing: `nothing (embedded demo)`, `a folder of videos`. */
  readonly needs: string;
  readonly options: readonly PipelineOption[];
  readonly defaultPreset: string;
  /** Parameters that differ from the schemas' defaults, by preset. */
  readonly presets: Readonly<Record<string, ParamsTree>>;
  /** The stages for these arguments (with no `--videos`, the demo's own). Checks the arguments; throws `UsageError`. */
  stages(args: PipelineArguments): readonly Stage[];
  /** Refuses values of several stages that do not fit each other, before anything runs; throws `UsageError`. */
  check?(params: ReadonlyMap<string, unknown>): void;
};
