import type { PipelineOption } from './pipeline.js';

/** A command beside the pipelines that looks at runs and makes none, such as `inspect`. */
export type SideCommand = {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly PipelineOption[];
  /** Does it. `options` by flag without dashes. Throws `UsageError`, `RunError`, `Interrupted`. */
  run(
    options: Readonly<Record<string, string | undefined>>,
    say: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
};
