import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './log.js';

/**
 * How often a holder touches its lock, and after how long untouched one counts as left behind: of another machine nothing else can be seen, and on
 * this one the number of a process that was killed may be another's by now.
 */
const HEARTBEAT_MS = 5_000;
const STALE_MS = 120_000;

type Holder = { readonly pid: number; readonly host: string; readonly token: string };

/**
 * Runs `work` while holding the lock file `file`, so that two set-ups at once do not download the same thing twice. Waits for
 * another living process (and says so once); takes over the lock of one that died. The lock is an economy only: whatever is
 * made under it is written aside and renamed into place, and so stays right even if two processes should get in.
 */
export async function withLock<T>(file: string, log: Log, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  const holder: Holder = { pid: process.pid, host: hostname(), token: randomUUID() };
  const content = JSON.stringify(holder);
  let announced = false;
  while (!(await claim(file, content))) {
    const other = await readHolder(file);
    if (other === undefined) continue;
    if (await isStale(file, other)) {
      await removeStale(file, other.token);
      continue;
    }
    if (!announced) log(`another set-up (process ${other.pid} on ${other.host}) is at work; waiting for it`);
    announced = true;
    await sleep(250);
  }
  const heartbeat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => {}), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    await removeDrafts(file);
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await readHolder(file))?.token === holder.token) await unlink(file);
  }
}

/** Creates the lock with its content in one step (`link` fails if the name is taken), so that nobody ever reads half a lock. */
async function claim(file: string, content: string): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, content);
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    // A draft that is gone was taken for one of the dead by who got the lock.
    if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code!)) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** What set-ups that died while they claimed or took over the lock have left beside it. A living one makes its draft again. */
async function removeDrafts(file: string): Promise<void> {
  const [folder, start] = [path.dirname(file), `${path.basename(file)}.`];
  for (const name of await readdir(folder))
    if (name.startsWith(start)) await rm(path.join(folder, name), { force: true });
}

/** `undefined` if the lock went away meanwhile. A file that is no lock of ours reads as one of a dead process. */
async function readHolder(file: string): Promise<Holder | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    if (typeof value.pid === 'number' && typeof value.host === 'string' && typeof value.token === 'string')
      return value as Holder;
  } catch {
    // Not JSON: falls through to the dead process below.
  }
  return { pid: 0, host: hostname(), token: '' };
}

async function isStale(file: string, holder: Holder): Promise<boolean> {
  if (holder.host === hostname() && !isAlive(holder.pid)) return true;
  try {
    return Date.now() - (await stat(file)).mtimeMs > STALE_MS;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Moves the lock aside before deleting it; if it turns out to be a fresh one (someone was quicker), it goes back. */
async function removeStale(file: string, token: string): Promise<void> {
  const aside = `${file}.stale-${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readHolder(aside))?.token !== token) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
}
