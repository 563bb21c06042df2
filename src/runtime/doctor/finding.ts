/** One fact about the machine or the installation. */
export type Finding = {
  /** `python`, `disk`. */
  readonly name: string;
  readonly value: string;
  /**
   * `broken`: nothing runs before it is mended; `missing`: stands in the way of native TensorFlow, and wasm has to do; `note` is worth knowing;
   * `fine` is as it should be.
   */
  readonly state: 'fine' | 'note' | 'missing' | 'broken';
  /** The one command or deed that mends it. */
  readonly remedy?: string;
};

/** Findings under one heading. Other rooms add sections of their own (ffmpeg). */
export type Section = { readonly title: string; readonly findings: readonly Finding[] };

/** What of the program can run here. */
export type Verdict = {
  /**
   * `native`: TensorFlow loads here; `set-up`: it can be brought, and the first run does so; `wasm`: all runs, slowly; `nothing`: something is
   * broken that every run needs.
   */
  readonly runs: 'native' | 'set-up' | 'wasm' | 'nothing';
  /** A sentence. */
  readonly says: string;
  /** The one command or deed that mends what is missing or broken. */
  readonly remedy?: string;
};

/** What `doctor` found. `healthy`: native TensorFlow runs here, or can be set up. */
export type Diagnosis = {
  readonly healthy: boolean;
  readonly sections: readonly Section[];
  readonly verdict: Verdict;
};

/** All findings of some sections that are in a state. */
export const findingsIn = (sections: readonly Section[], state: Finding['state']): Finding[] =>
  sections.flatMap(({ findings }) => findings.filter((finding) => finding.state === state));
