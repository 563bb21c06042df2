import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { jobs } from './jobs.mjs';
import { makeMemoryGroup } from './memory-group.mjs';
import { runStep } from './run-step.mjs';

/** What a reader of the table wants of a long output: reasons, remedies, refusals, and what a runtime is. */
const TELLING =
  /because:|cost:|[Tt]o mend it|could not|not to be had|bundled ffmpeg|^Expected|does not start|^npm (error|ERR!) (code|network request)|error TS|^Error|ENOENT|EACCES|EROFS|^!|^✗/;

/**
 * Tries one condition in a folder of its own and gives its row. Digests are compared with that of the same job under no
 * condition, among `rows`: runs are equal where runtime and threads are.
 */
export const tryCondition = async (condition, { repository, root, rows }) => {
  const { name, what, checkout = 'shared', cache = 'full', job = 'train', expects = 'native', limitBytes } = condition;
  const row = { condition: name, what, checkout, cache, job: jobs[job].what };
  const impossible = condition.impossible?.();
  if (impossible) return { ...row, ended: 'not tried', asExpected: true, said: [impossible] };
  const place = layOut(condition, root);
  const sharedPlace = path.join(root, 'plain');
  if (checkout === 'fresh') execFileSync('git', ['clone', '-q', repository, place.checkout]);
  else if (checkout === 'copy') copyCheckout(path.join(sharedPlace, 'checkout'), place.checkout);
  else if (name !== 'plain') place.checkout = path.join(sharedPlace, 'checkout');
  if (cache === 'full' && name !== 'plain') place.cache = path.join(sharedPlace, 'cache');
  await condition.prepare?.(place);
  const env = environment(place, root, condition.env?.(place) ?? {});
  const group = makeMemoryGroup(limitBytes);
  const step = (argv, limitSeconds, cwd = place.checkout) =>
    runStep([...(group?.wrap ?? []), ...(condition.wrap?.(place) ?? []), ...argv], { cwd, env, limitSeconds });
  /** Where npm itself does not start, the program is run without it. */
  const program = (args, limitSeconds) =>
    condition.direct
      ? step(['node', 'dist/src/cli.js', ...args.filter((arg) => arg !== 'pipeline' && arg !== '--')], limitSeconds)
      : step(['npm', 'run', ...args], limitSeconds);
  const seconds = {};
  let install, doctor, digest;
  const runs = [];
  try {
    if (checkout === 'fresh') {
      install = await step(['npm', 'ci'], 600);
      seconds.install = install.seconds;
    }
    if (!install || install.code === 0) {
      for (const args of jobs[job].commands(place, condition)) {
        runs.push(await program(args, jobs[job].limitSeconds));
        if (runs.at(-1).code !== 0) break;
      }
      seconds.run = Math.round(runs.reduce((sum, run) => sum + run.seconds, 0));
      doctor = await program(['doctor'], 120);
      if (runs.every(({ code }) => code === 0) && job !== 'set-up') {
        const status = await program(['pipeline', 'status', '--', '--work', place.work, '--digest'], 120);
        digest = /^[0-9a-f]{64}$/m.exec(status.text)?.[0];
      }
    }
  } finally {
    row.peakMb = group && Math.round(group.close() / 1e6);
    await condition.tidy?.(place);
  }
  const steps = [install, ...runs].filter(Boolean);
  const text = steps.map((one) => one.text).join('\n');
  const runtime = /^runtime: (.*)$/m.exec(text)?.[1];
  const ended = endOf(steps, runtime, text);
  const said = tell(text, place, root);
  const extra = (await condition.check?.(place, { text, doctor: doctor?.text ?? '' })) ?? [];
  for (const folder of [place.home, place.tmp])
    for (const name of readdirSync(folder)) {
      // npm and the compiler have Node keep what it compiled of them there.
      if (name !== 'node-compile-cache') extra.push(`left behind: ${path.basename(folder)}/${name}`);
    }
  const git = ['-c', 'safe.directory=*', '-C', place.checkout, 'status', '--porcelain'];
  const changed = execFileSync('git', git, { encoding: 'utf8' }).trim();
  if (changed) extra.push(`written into the checkout: ${changed}`);
  const missed = (condition.says ?? [])
    .filter((pattern) => !pattern.test(`${text}\n${doctor?.text ?? ''}`))
    .map(String);
  const result = {
    ...row,
    ended,
    runtime,
    codes: { install: install?.code, run: runs.at(-1)?.code ?? runs.at(-1)?.signal, doctor: doctor?.code },
    seconds,
    said,
    doctor: verdictOf(doctor?.text ?? '', place, root),
    digest,
    digestEqual: compare(digest, runtime, rows.get(jobs[job].reference), condition),
    asExpected: ended === ENDS[expects] && missed.length === 0 && extra.length === 0,
    ...(missed.length + extra.length > 0 ? { missed: [...missed, ...extra] } : {}),
  };
  if (!result.asExpected && process.env.MACHINES_VERBOSE) console.log(text.slice(-6000), doctor?.text);
  if (name !== 'plain' && !process.env.MACHINES_KEEP) rmSync(place.root, { recursive: true, force: true });
  return result;
};

const ENDS = { native: 'done, native', wasm: 'done, fell back to wasm', refused: 'refused', 'set-up': 'set up' };

const endOf = (steps, runtime, text) => {
  const last = steps.at(-1);
  if (last.late) return 'RAN OUT OF TIME';
  if (last.code === 0) {
    if (runtime) return runtime.includes('wasm') ? ENDS.wasm : ENDS.native;
    return text.includes('native TensorFlow is not to be had') ? ENDS.wasm : ENDS['set-up'];
  }
  // A stack is no refusal.
  return last.signal || /^\s+at .*\(.*:\d+:\d+\)$/m.test(last.text) ? 'CRASHED' : ENDS.refused;
};

/** Folders of a condition; those of the same name from an earlier call are gone. */
const layOut = (condition, root) => {
  const at = path.join(root, condition.folder ?? condition.name);
  rmSync(at, { recursive: true, force: true });
  const place = { root: at };
  for (const name of ['home', 'tmp', 'cache']) mkdirSync((place[name] = path.join(at, name)), { recursive: true });
  for (const name of ['checkout', 'work']) place[name] = path.join(at, name);
  return place;
};

/** Hard links: a gigabyte of packages costs no time; `dist` is copied, for the compiler writes in place. */
const copyCheckout = (from, to) => {
  execFileSync('cp', ['-al', from, to]);
  rmSync(path.join(to, 'dist'), { recursive: true, force: true });
  cpSync(path.join(from, 'dist'), path.join(to, 'dist'), { recursive: true, preserveTimestamps: true });
};

const environment = (place, root, own) => {
  const env = {
    ...process.env,
    HOME: place.home,
    TMPDIR: place.tmp,
    VIDEO_SSL_CACHE: place.cache,
    npm_config_cache: path.join(root, 'npm'),
    ...own,
  };
  for (const [name, value] of Object.entries(env)) if (value === undefined) delete env[name];
  return env;
};

/** No machine's paths in what is published. */
const withoutPaths = (line, place, root) =>
  line.replaceAll(place.root, '…').replaceAll(root, '…').replaceAll(os.homedir(), '~').trim();

const tell = (text, place, root) => {
  const lines = text.split('\n').filter((line) => TELLING.test(line.trim()) && !/^\s+at /.test(line));
  return [...new Set(lines.map((line) => withoutPaths(line, place, root)))]
    .slice(0, 6)
    .map((line) => line.slice(0, 400));
};

const verdictOf = (text, place, root) => withoutPaths(text.trim().split('\n').at(-1) ?? '', place, root);

const compare = (digest, runtime, reference, { name, digests = 'equal' }) => {
  if (!digest || Object.values(jobs).some((job) => job.reference === name)) return undefined;
  if (digests === 'own' || reference?.runtime !== runtime) return 'not compared: computes otherwise';
  return digest === reference.digest ? 'equal' : 'NOT EQUAL';
};
