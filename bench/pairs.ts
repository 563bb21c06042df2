/**
 * Scores a mining by the audit: tracks that were looked at, frame by frame (docs/audit.md). Mines the audited clips, or reads the pairs of a run.
 * Exit code 1 where more than 30 % of the pairs at audited time-steps have no label, or where precision lies below --floor.
 *
 *   node dist/bench/pairs.js [--videos DIR] [--set name=value …] [--mined FILE.json] [--run FOLDER] [--floor 0.93] [--out FILE.json]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { auditSchema, type Audit } from './audit-labels.js';
import { auditMining, mineClips, readSettings, type MinedClips } from './audit-mine.js';
import { clipsOfRun, pairsOfClips } from './audit-run.js';
import { scorePairs, type AuditScore, type ScoredPair, type Share } from './pairs-score.js';

/** Above this share of pairs without a label the rest says too little of the whole. */
export const maxUnauditedShare = 0.3;

/** What is wrong with a score, in sentences; none where it passes. */
export const failuresOf = (
  { precision, pairsAtSteps, unauditedShare }: Pick<AuditScore, 'precision' | 'pairsAtSteps' | 'unauditedShare'>,
  floor?: number,
): string[] => {
  if (pairsAtSteps === 0) return ['No pair begins at an audited time-step'];
  const failures: string[] = [];
  if (unauditedShare > maxUnauditedShare) {
    failures.push(
      `${percent(unauditedShare)} of the pairs at audited time-steps have no label, more than ${percent(maxUnauditedShare)}: look at new tracks`,
    );
  }
  if (floor !== undefined && !(precision.share >= floor)) {
    failures.push(`Precision ${precision.share.toFixed(3)} lies below ${floor}`);
  }
  return failures;
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const interval = ([low, high]: readonly [number, number]): string => `[${low.toFixed(3)}, ${high.toFixed(3)}]`;
const line = (name: string, { right, of, share, overVideos, wilson }: Share): string =>
  `${name.padEnd(34)} ${share.toFixed(3)}  ${right} of ${of}  over videos ${interval(overVideos)}, Wilson ${interval(wilson)}`;

const print = (score: AuditScore, lenient: AuditScore): void => {
  const { foundAgain, byPaper } = score;
  console.log(line('precision', score.precision));
  console.log(line('  without doubtful labels', score.withoutDoubtful));
  console.log(line('  right from an overlap of 0.3', lenient.precision));
  console.log(line('of all, right but background alone', score.background));
  for (const [outcome, share] of Object.entries(byPaper)) console.log(line(`  where the paper: ${outcome}`, share));
  console.log(
    `unaudited: ${score.unaudited} of ${score.pairsAtSteps} pairs at audited time-steps (${percent(score.unauditedShare)})`,
  );
  console.log(
    `found again: ${foundAgain.right} of ${foundAgain.ofRight} right tracks, ${foundAgain.wrong} of ${foundAgain.ofWrong} wrong ones`,
  );
  for (const [reason, count] of Object.entries(score.errors))
    console.log(`${String(count).padStart(6)}  wrong: ${reason}`);
  for (const { clip, pairs, right } of score.clips.filter((some) => some.right < some.pairs)) {
    console.log(`${String(right).padStart(6)} of ${pairs} right: ${clip}`);
  }
};

/** Runs the bench. */
export const runPairsBench = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      videos: { type: 'string', default: join(process.cwd(), '../shared/data/video/clips') },
      audit: { type: 'string', default: join(process.cwd(), 'test/audit/labels.json') },
      set: { type: 'string', multiple: true },
      mined: { type: 'string' },
      run: { type: 'string' },
      floor: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const audit: Audit = auditSchema.parse(JSON.parse(readFileSync(values.audit, 'utf8')));
  let pairs: ScoredPair[];
  if (values.run !== undefined) pairs = pairsOfClips(await clipsOfRun(values.run));
  else if (values.mined !== undefined) {
    pairs = values.mined
      .split(',')
      .flatMap((file) => pairsOfClips(JSON.parse(readFileSync(file, 'utf8')) as MinedClips));
  } else if (existsSync(values.videos)) {
    const wanted = new Set(audit.steps.map(({ video }) => video));
    const options = { ...auditMining, ...readSettings(values.set) };
    pairs = pairsOfClips(await mineClips(values.videos, options, { wanted, tell: console.log }));
  } else {
    console.log(`No clips at ${values.videos}: name their folder with --videos, or a run with --run`);
    return;
  }
  const score = scorePairs(audit, pairs);
  print(score, scorePairs(audit, pairs, { rightIou: 0.3 }));
  const failures = failuresOf(score, values.floor === undefined ? undefined : Number(values.floor));
  for (const failure of failures) console.log(failure);
  if (values.out !== undefined) {
    const { verdicts: _, ...numbers } = score;
    writeFileSync(values.out, `${JSON.stringify({ pairs: pairs.length, ...numbers, failures }, null, 2)}\n`);
  }
  if (failures.length > 0) process.exitCode = 1;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await runPairsBench();
