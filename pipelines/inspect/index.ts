import path from 'node:path';
import type { SideCommand } from '../../src/pipeline/side-command.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { inspectRun } from './inspect-run.js';
import { findRun } from './read-run.js';

const usualRuns = ['video-ssl', 'compare'].map((name) => path.join('runs', name));

const countOf = (flag: string, value: string | undefined, usual: number, least = 0): number => {
  if (value === undefined) return usual;
  const count = Number(value);
  if (value.trim() !== '' && Number.isSafeInteger(count) && count >= least) return count;
  throw new UsageError(`--${flag}: expected a whole number of at least ${least}, got ${JSON.stringify(value)}`);
};

/** `inspect`: a page of what mining saw in the videos of a run, kept and refused, with every number that decided. */
export const inspectCommand: SideCommand = {
  name: 'inspect',
  summary:
    'make a page of what mining saw: points, flow, camera, windows and tracks, what was refused and by which number',
  options: [
    { flag: '--work', value: 'DIR', help: `the run folder (default: ${usualRuns.join(' or ')})` },
    {
      flag: '--videos',
      value: 'DIR|LIST.txt',
      help: "where the run's videos lie (default: where its own command said)",
    },
    { flag: '--limit', value: 'N', help: 'show at most so many videos; totals are over all (default: 50)' },
    { flag: '--only', value: 'TEXT', help: 'show only videos whose name holds this text' },
    { flag: '--steps', value: 'N', help: 'time-steps drawn of each video (default: 6)' },
    { flag: '--tracks', value: 'N', help: 'pairs, and refused tracks, drawn of each video (default: 12)' },
    { flag: '--out', value: 'DIR', help: 'folder of the page (default: `inspect` in the run folder)' },
  ],
  run: async (options, say, signal) => {
    const workDir = findRun(options['work'], usualRuns);
    const tracks = countOf('tracks', options['tracks'], 12);
    const page = await inspectRun({
      workDir,
      ...{ videos: options['videos'], only: options['only'], limit: countOf('limit', options['limit'], 50, 1) },
      shown: { steps: countOf('steps', options['steps'], 6), kept: tracks, refused: tracks },
      out: path.resolve(options['out'] ?? path.join(workDir, 'inspect')),
      ...{ say, signal },
    });
    say(path.relative('', page));
  },
};
