import { appendFileSync, writeFileSync } from 'node:fs';

// The one place in the project with module state: counts of the places passed, kept only when a test asks for it.
const [, wanted, nth] = /^(?:(.+)#)?(\d+)$/.exec(process.env['VIDEO_SSL_KILL_AT'] ?? '') ?? [];
const countFile = process.env['VIDEO_SSL_COUNT_KILL_POINTS'];
let passed = 0;
let matching = 0;
if (countFile) process.on('exit', () => writeFileSync(countFile, `${passed}\n`));

/**
 * A place where a test may end the process as a power cut would: `VIDEO_SSL_KILL_AT=n` sends SIGKILL at the n-th such place,
 * `VIDEO_SSL_KILL_AT='name#n'` when a place of that name is passed for the n-th time, and
 * `VIDEO_SSL_COUNT_KILL_POINTS=FILE` writes how many there were (their names to `FILE.names`). Workers count for themselves:
 * there, `VIDEO_SSL_KILL_AT_CHILD` is what selects, and the count goes to `FILE.child`.
 */
export function killPoint(name: string): void {
  if (nth === undefined && !countFile) return;
  passed += 1;
  if (wanted === undefined || wanted === name) matching += 1;
  if (countFile) appendFileSync(`${countFile}.names`, `${name}\n`);
  if (matching === Number(nth)) process.kill(process.pid, 'SIGKILL');
}

/** The environment of a worker: its own counter of kill points, selected by its own variable. */
export function workerKillEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { VIDEO_SSL_KILL_AT_CHILD: at, VIDEO_SSL_COUNT_KILL_POINTS: count, ...rest } = environment;
  delete rest['VIDEO_SSL_KILL_AT'];
  return {
    ...rest,
    ...(at ? { VIDEO_SSL_KILL_AT: at } : {}),
    ...(count ? { VIDEO_SSL_COUNT_KILL_POINTS: `${count}.child` } : {}),
  };
}
