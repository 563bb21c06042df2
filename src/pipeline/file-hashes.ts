import { stat } from 'node:fs/promises';
import { canonicalJson, sha256 } from './canonical-json.js';
import { hashOfFile } from './durable-files.js';
import type { Json } from './json.js';
import type { Ledger } from './ledger/ledger.js';
import { printable } from './printable.js';
import { formatBytes } from './rate.js';

type Identity = readonly [device: string, inode: string, size: string, modified: string];

/** Who is told of files that take long, and who may stop it. */
export type HashWatch = {
  readonly signal?: AbortSignal;
  log?(line: string): void;
  /** What takes longer is told, in milliseconds. @default 5000 */
  readonly slowMs?: number;
};

/** sha256 of files, remembered in the ledger by device, inode, size and modification time. */
export class FileHashes {
  readonly #ledger: Ledger | undefined;
  readonly #mode: 'read' | 'write' | 'verify';
  readonly #watch: HashWatch;
  /** What each file was when this run hashed it. */
  readonly #seen = new Map<string, { readonly identity: Identity; readonly sha256: string }>();

  /** `read` leaves the ledger as it is (plans); `verify` believes no remembered hash. */
  constructor(ledger: Ledger | undefined, mode: 'read' | 'write' | 'verify', watch: HashWatch = {}) {
    this.#ledger = ledger;
    this.#mode = mode;
    this.#watch = watch;
  }

  /** @throws Error where the file cannot be read, or does not keep still */
  async hash(file: string): Promise<string> {
    // What changes while it is hashed is hashed again: a hash of half old, half new would be that of no file.
    for (let tries = 0; tries < 3; tries += 1) {
      const { identity, modifiedMs } = await factsOf(file);
      const remembered = this.#remembered(identity);
      const hash = remembered ?? (await this.#read(file, Number(identity[2])));
      if (!remembered && !isSame((await factsOf(file)).identity, identity)) continue;
      // A file touched in the last seconds may change again within the clock's grain: too fresh to be remembered.
      const settled = Date.now() - modifiedMs > 2000;
      if (!remembered && this.#mode !== 'read' && settled) this.#remember(identity, hash);
      this.#seen.set(file, { identity, sha256: hash });
      return hash;
    }
    throw new Error(
      `Expected ${file} to keep still while it is hashed, but it changed three times: is it still being written?`,
    );
  }

  /**
   * Of the files that an item's payload names and this run hashed, one that is no longer what it was: gone, or of other content. What was
   * read of it since cannot be trusted, whatever it came to. In words, or `undefined`.
   */
  async changeIn(payload: Json): Promise<string | undefined> {
    for (const file of typeof payload === 'object' && payload !== null ? Object.values(payload) : [payload]) {
      const seen = typeof file === 'string' ? this.#seen.get(file) : undefined;
      if (!seen) continue;
      try {
        if (isSame((await factsOf(file as string)).identity, seen.identity)) continue;
        if ((await hashOfFile(file as string)) !== seen.sha256) return 'it changed while the run was at work';
      } catch {
        return 'it vanished, or could no longer be read, while the run was at work';
      }
    }
    return undefined;
  }

  async #read(file: string, bytes: number): Promise<string> {
    const { signal, log, slowMs = 5000 } = this.#watch;
    const told = setTimeout(() => log?.(`reading ${printable(file)} (${formatBytes(bytes)}) for its hash`), slowMs);
    try {
      return await hashOfFile(file, signal);
    } finally {
      clearTimeout(told);
    }
  }

  #remembered(identity: Identity): string | undefined {
    if (this.#mode === 'verify') return undefined;
    const where = 'device = ? AND inode = ? AND size = ? AND modified = ?';
    const row = this.#ledger?.rows(`SELECT * FROM file_hashes WHERE ${where}`, ...identity)[0];
    if (!row) return undefined;
    const hash = String(row['sha256']);
    // A row that was changed since would make another file of this one.
    return row['seal'] == null || row['seal'] === sealOfHash(identity, hash) ? hash : undefined;
  }

  #remember(identity: Identity, hash: string): void {
    this.#ledger?.transaction(() =>
      this.#ledger!.execute(
        'INSERT OR REPLACE INTO file_hashes (device, inode, size, modified, sha256, seal) VALUES (?, ?, ?, ?, ?, ?)',
        ...identity,
        ...[hash, sealOfHash(identity, hash)],
      ),
    );
  }
}

const sealOfHash = (identity: Identity, hash: string): string => sha256(canonicalJson([...identity, hash]));

const isSame = (one: Identity, other: Identity): boolean => one.every((fact, at) => fact === other[at]);

const factsOf = async (file: string): Promise<{ readonly identity: Identity; readonly modifiedMs: number }> => {
  const { dev, ino, size, mtimeNs, mtimeMs } = await stat(file, { bigint: true });
  return { identity: [String(dev), String(ino), String(size), String(mtimeNs)], modifiedMs: Number(mtimeMs) };
};
