import { hostname } from 'node:os';
import { commandLine } from './invocation.js';
import type { Ledger } from './ledger/ledger.js';
import { identityOf, isAlive, type ProcessIdentity } from './process-identity.js';
import { RunError } from './run-errors.js';

/**
 * Takes the run folder for this process: a row in the ledger with pid and start time, so that two runs cannot both find it free.
 * The lock of a process that is gone is taken over, and children that outlived it (blocked in native code) are ended first.
 *
 * @throws RunError naming the process that holds it.
 */
export async function takeRunLock(ledger: Ledger): Promise<RunLock> {
  const own = identityOf(process.pid);
  const orphans = ledger.transaction((): ProcessIdentity[] => {
    const row = ledger.rows('SELECT * FROM lock')[0];
    let left: ProcessIdentity[] = [];
    if (row) {
      const holder = { pid: Number(row['pid']), started: String(row['started']) };
      if (row['host'] !== hostname()) throw new RunError(elsewhere(ledger.file, holder.pid, String(row['host'])));
      if (isAlive(holder)) throw new RunError(held(ledger.file, holder.pid));
      left = childrenOf(String(row['children']));
    }
    ledger.execute(
      `INSERT OR REPLACE INTO lock (id, pid, started, host, children) VALUES (1, ?, ?, ?, ?)`,
      ...[own.pid, own.started, hostname(), JSON.stringify(left)],
    );
    return left;
  });
  for (const orphan of orphans) await endOrphan(orphan);
  return new RunLock(ledger);
}

const childrenOf = (text: string): ProcessIdentity[] => {
  try {
    const children: unknown = JSON.parse(text);
    return Array.isArray(children) ? children.filter((child) => typeof child === 'object' && child !== null) : [];
  } catch {
    return [];
  }
};

/** Who holds the run folder: a process of this machine that is alive, or one of another machine, which cannot be looked at from here. */
export function lockHolder(ledger: Ledger): { readonly pid: number; readonly host: string } | undefined {
  const row = ledger.rows('SELECT * FROM lock')[0];
  if (!row) return undefined;
  const [pid, host] = [Number(row['pid']), String(row['host'])];
  return host !== hostname() || isAlive({ pid, started: String(row['started']) }) ? { pid, host } : undefined;
}

/** A run folder taken by this process. */
export class RunLock {
  readonly #ledger: Ledger;
  readonly #children = new Map<number, ProcessIdentity>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#store();
  }

  /** Notes a child that must not outlive this process. */
  addChild(pid: number): void {
    this.#children.set(pid, identityOf(pid));
    this.#store();
  }

  removeChild(pid: number): void {
    this.#children.delete(pid);
    try {
      this.#store();
    } catch {
      // On a full disk a child that is gone stays noted: it is told apart from a later process of that number.
    }
  }

  release(): void {
    this.#ledger.transaction(() => this.#ledger.execute('DELETE FROM lock'));
  }

  #store(): void {
    const children = JSON.stringify([...this.#children.values()]);
    this.#ledger.transaction(() => this.#ledger.execute('UPDATE lock SET children = ?', children));
  }
}

const endOrphan = async (orphan: ProcessIdentity): Promise<void> => {
  for (let tries = 0; tries < 100 && isAlive(orphan); tries += 1) {
    try {
      process.kill(orphan.pid, 'SIGKILL');
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const held = (file: string, pid: number): string => (pid === process.pid ? heldHere(file) : heldElsewhere(file, pid));

/** Only a program that calls the library has two runs. */
const heldHere = (file: string): string =>
  `Another call of this process is at work in this folder (${file}). Wait for it, or give another folder as \`work\`.`;

const heldElsewhere = (file: string, pid: number): string =>
  `Another run (process ${pid}) is at work in this folder (${file}). Wait for it, end it with \`kill ${pid}\`, or give another folder with --work DIR.`;

const elsewhere = (file: string, pid: number, host: string): string =>
  `A run on ${host} (process ${pid}) holds this folder (${file}). If it is over, say so with ` +
  `\`${commandLine(['status', '--work', 'DIR', '--unlock'])}\`, and run the same command again.`;
