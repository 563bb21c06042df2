/** Files of a case by their path inside its folder. */
export type CaseFiles = Readonly<Record<string, Uint8Array | string>>;

/** What a reader can read: mutants are made of it. */
export type Sample = {
  readonly name: string;
  readonly files: CaseFiles;
  /** Files whose bytes are changed. @default all */
  readonly changed?: readonly string[];
};

/** A case made by hand, over the first sample: something that a random change would never come to. */
export type HandMade = {
  readonly name: string;
  /** Files put beside those of the sample, or in their place. */
  readonly files?: CaseFiles;
  /** Paths that are taken away. */
  readonly without?: readonly string[];
  /** Links by their path, to what they lead to. `OUTSIDE` stands for the folder that no reader may enter. */
  readonly links?: Readonly<Record<string, string>>;
  /** Pipes, by path: whoever opens one waits for ever. */
  readonly pipes?: readonly string[];
  /** Files without content (holes) of a size in bytes, by path. */
  readonly holes?: Readonly<Record<string, number>>;
  /** Too slow to lay out or to read for every run of the tests. */
  readonly slow?: boolean;
  /** What is to come of it. @default refused */
  readonly expected?: 'read' | 'refused' | 'either';
};

/** A reader of untrusted input as the fuzzing drives it. Its module exports these as `readers`. */
export type FuzzedReader = {
  readonly name: string;
  readonly samples: () => Promise<readonly Sample[]>;
  /** Words of the format, which changes put into the bytes. */
  readonly dictionary: readonly string[];
  readonly handMade: () => Promise<readonly HandMade[]>;
  /** Makes hashes right again that an attacker would make right. */
  readonly seal?: (files: CaseFiles) => CaseFiles;
  /** Reads the case in a folder; throws as the reader does. */
  readonly read: (folder: string) => Promise<void>;
  /** Most memory a case may take beyond what the process had before, MiB. @default 256 */
  readonly megabytes?: number;
  /** Most processor time a case may take, seconds. @default 10 */
  readonly seconds?: number;
};

/** Put in a link's target, it is the folder beside the case that no reader may enter. */
export const OUTSIDE = '{outside}';

/** What became of a case. All but the first two are failures. */
export type Outcome = 'read' | 'refused' | 'unclear' | 'hung' | 'grew' | 'crashed' | 'reached out' | 'unexpected';

/** A case and what became of it. */
export type Verdict = {
  /** Number among the cases of all readers of the process. */
  readonly index: number;
  readonly reader: string;
  readonly name: string;
  readonly outcome: Outcome;
  /** What the reader said. */
  readonly message: string;
  /** Processor time; of a case that its process died of, by the clock. */
  readonly seconds: number;
  /** Memory beyond what the process had before the case, MiB. */
  readonly megabytes: number;
};
