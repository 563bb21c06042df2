/**
 * Puts what was drawn and what was seen together as `test/audit/labels.json`, and says how far two who looked at the same tracks agree.
 *
 *   node dist/bench/audit-merge.js --drawn DIR/drawn.json --verdicts FILE.json[,FILE.json] [--second FILE.json] [--paper FILE.json] [--labels FILE.json] [--out FILE.json]
 *
 * `--labels`: an audit to add to, whose time-steps these are (`audit-draw.js --labels`).
 * `--second`: verdicts of another labeller, compared but not kept. `--paper`: a mining of the same clips by the rule of the paper
 * (`audit-mine.js --set motion=paper --set window=fixed`), whose outcomes are kept beside the time-steps.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { iou } from '../src/numeric/box.js';
import {
  auditSchema,
  drawSchema,
  toBox,
  verdictsSchema,
  type Audit,
  type AuditDraw,
  type Verdict,
} from './audit-labels.js';
import type { MinedClips } from './audit-mine.js';

type Verdicts = Readonly<Record<string, Verdict>>;

/** Drawn tracks with their verdicts as labels. Throws a RangeError that names the tracks without one. */
export const mergeAudit = (draw: AuditDraw, verdicts: Verdicts, paper: MinedClips['clips'] = []): Audit => {
  const missing = draw.tracks.filter(({ id }) => verdicts[id] === undefined).map(({ id }) => id);
  if (missing.length > 0)
    throw new RangeError(`Expected a verdict for every track, got none for ${missing.join(', ')}`);
  const { steps, tracks, ...drawn } = draw;
  const outcomes = new Map(
    paper.flatMap((clip) => clip.steps.map(({ frame, outcome }) => [`${clip.sha256}:${frame}`, outcome] as const)),
  );
  return {
    drawn,
    steps: steps.map(({ video, startFrame }) => {
      const outcome = outcomes.get(`${video}:${startFrame}`);
      return { video, startFrame, ...(outcome === undefined ? {} : { paper: outcome }) };
    }),
    labels: tracks.map((track) => {
      const { verdict, end, error, background, doubtful, note } = verdicts[track.id];
      return {
        ...track,
        truth: verdict === 'same' ? track.tracked : verdict === 'gone' ? ('gone' as const) : (end ?? track.tracked),
        ...(error === undefined ? {} : { error }),
        ...(background === undefined ? {} : { background }),
        ...(doubtful === undefined ? {} : { doubtful }),
        ...(note === undefined ? {} : { note }),
      };
    }),
  };
};

/** An audit with more labels at the same time-steps. Throws a RangeError where a number is taken. */
export const addLabels = (audit: Audit, { labels }: Pick<Audit, 'labels'>): Audit => {
  const numbers = new Set(audit.labels.map(({ id }) => id));
  const taken = labels.filter(({ id }) => numbers.has(id)).map(({ id }) => id);
  if (taken.length > 0) throw new RangeError(`Expected new numbers, got ${taken.join(', ')} again`);
  return { ...audit, labels: [...audit.labels, ...labels] };
};

/** How far two labellers agree on whether a track is right. */
export type Agreement = {
  readonly both: number;
  readonly agree: number;
  /** Cohen's kappa, `(agreement - chance) / (1 - chance)`; NaN where chance alone gives certainty. */
  readonly kappa: number;
  readonly differ: readonly number[];
};

/** Compares two sets of verdicts on the tracks both judged: right is `same`, or `moved` by less than half (overlap above 0.5). */
export const compareVerdicts = ({ tracks }: AuditDraw, first: Verdicts, second: Verdicts): Agreement => {
  const isRight = ({ verdict, end }: Verdict, tracked: AuditDraw['tracks'][number]['tracked']): boolean =>
    verdict === 'same' || (end !== undefined && iou(toBox(end), toBox(tracked)) > 0.5);
  const judged = tracks
    .filter(({ id }) => first[id] !== undefined && second[id] !== undefined)
    .map(({ id, tracked }) => ({ id, a: isRight(first[id], tracked), b: isRight(second[id], tracked) }));
  const both = judged.length;
  const differ = judged.filter(({ a, b }) => a !== b).map(({ id }) => id);
  const agree = both - differ.length;
  const shareA = judged.filter(({ a }) => a).length / both;
  const shareB = judged.filter(({ b }) => b).length / both;
  const chance = shareA * shareB + (1 - shareA) * (1 - shareB);
  return { both, agree, kappa: chance < 1 ? (agree / both - chance) / (1 - chance) : NaN, differ };
};

/** The file, one time-step and one label a line. */
export const printAudit = ({ drawn, steps, labels }: Audit): string => {
  const lines = (values: readonly unknown[]): string =>
    values.map((value) => `    ${JSON.stringify(value)}`).join(',\n');
  return `{\n  "drawn": ${JSON.stringify(drawn)},\n  "steps": [\n${lines(steps)}\n  ],\n  "labels": [\n${lines(labels)}\n  ]\n}\n`;
};

const readVerdicts = (files: string): Verdicts =>
  Object.assign({}, ...files.split(',').map((file) => verdictsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      drawn: { type: 'string' },
      verdicts: { type: 'string' },
      second: { type: 'string' },
      paper: { type: 'string' },
      labels: { type: 'string' },
      out: { type: 'string', default: join(process.cwd(), 'test/audit/labels.json') },
    },
  });
  if (values.drawn === undefined || values.verdicts === undefined)
    throw new Error('Expected --drawn and --verdicts FILE.json');
  const draw = drawSchema.parse(JSON.parse(readFileSync(values.drawn, 'utf8')));
  const verdicts = readVerdicts(values.verdicts);
  if (values.second !== undefined) console.log(compareVerdicts(draw, verdicts, readVerdicts(values.second)));
  const paper = values.paper
    ?.split(',')
    .flatMap((file) => (JSON.parse(readFileSync(file, 'utf8')) as MinedClips).clips);
  const merged = mergeAudit(draw, verdicts, paper);
  const before =
    values.labels === undefined ? undefined : auditSchema.parse(JSON.parse(readFileSync(values.labels, 'utf8')));
  writeFileSync(values.out, printAudit(before === undefined ? merged : addLabels(before, merged)));
}
