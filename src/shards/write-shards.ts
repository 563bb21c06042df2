import { createHash } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import tar from 'tar-stream';
import { killPoint } from '../pipeline/kill-point.js';

/** One sample: files that share a key and differ in their extension. */
export type ShardRecord = {
  /** No dot (the extension starts at the first) and no slash. */
  readonly key: string;
  /** By extension without its dot: `a.jpg`, `json`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
};

/** How to split and name shards. */
export type WriteShardsOptions = {
  /** Records in one shard. @default 1000 */
  readonly perShard?: number;
  /** Shards are `<name>-000000.tar`, `<name>-000001.tar`, …, which WebDataset reads as `<name>-{000000..000001}.tar`. @default 'shard' */
  readonly name?: string;
  readonly signal?: AbortSignal;
};

/** A shard on disk. */
export type WrittenShard = {
  readonly path: string;
  readonly records: number;
  readonly bytes: number;
  readonly sha256: string;
};

const checkRecord = ({ key, files }: ShardRecord): void => {
  if (!/^[\w-]+$/.test(key))
    throw new RangeError(`Expected \`key\` to hold letters, digits, - and _ only, got \`${key}\``);
  if (files.size === 0) throw new RangeError(`Expected record ${key} to have files, got none`);
  for (const extension of files.keys()) {
    if (!/^\w+(\.\w+)*$/.test(extension))
      throw new RangeError(`Expected an extension such as \`a.jpg\` in record ${key}, got \`${extension}\``);
    if (key.length + extension.length + 1 > 100)
      throw new RangeError(`Expected at most 100 characters of file name, got \`${key}.${extension}\``);
  }
};

/** A tar that is being written under a temporary name. */
class OpenShard {
  records = 0;
  readonly #pack = tar.pack();
  readonly #hash = createHash('sha256');
  readonly #temporary: string;
  readonly #sink: WriteStream;
  readonly #done: Promise<void>;
  #bytes = 0;

  constructor(readonly path: string) {
    this.#temporary = `${path}.${process.pid}.partial`;
    const observe = async function* (this: OpenShard): AsyncGenerator<Buffer> {
      for await (const chunk of this.#pack as AsyncIterable<Buffer>) {
        this.#hash.update(chunk);
        this.#bytes += chunk.length;
        yield chunk;
      }
    };
    this.#sink = createWriteStream(this.#temporary);
    this.#done = pipeline(observe.call(this), this.#sink);
    this.#done.catch(() => undefined); // seen by `close`
  }

  async add({ key, files }: ShardRecord): Promise<void> {
    this.records++;
    for (const extension of [...files.keys()].sort()) {
      // Nothing of the machine or the hour: the same records give the same bytes.
      const header = {
        name: `${key}.${extension}`,
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: new Date(0),
        uname: '',
        gname: '',
      };
      const written = new Promise<void>((resolve, reject) => {
        const bytes = files.get(extension) as Uint8Array;
        this.#pack.entry(header, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), (error) =>
          error ? reject(error) : resolve(),
        );
      });
      await Promise.race([written, this.#done]); // a full disk ends the sink, and then no entry is ever taken
    }
    if (this.records === 1) killPoint('within an output file');
  }

  async close(): Promise<WrittenShard> {
    this.#pack.finalize();
    await this.#done;
    killPoint('before flush of a shard');
    const handle = await open(this.#temporary, 'r+');
    await handle.sync().finally(() => handle.close());
    killPoint('before rename of an output file');
    await rename(this.#temporary, this.path);
    killPoint('after rename of an output file');
    return { path: this.path, records: this.records, bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  async abandon(): Promise<void> {
    this.#pack.destroy();
    await this.#done.catch(() => undefined);
    // Opening may still be under way, and would make the file after it was removed.
    if (!this.#sink.closed) await new Promise<void>((resolve) => this.#sink.once('close', () => resolve()));
    await rm(this.#temporary, { force: true });
  }
}

/**
 * Writes records as WebDataset tar shards into a folder, in the order given, as they come: nothing but the record at hand is held. The files of a
 * record stand in order of their extension; equal records give equal bytes (no times, no owners). A shard appears under its name only when it is whole
 * and flushed. No records give no shard.
 */
export class ShardWriter {
  readonly #folder: string;
  readonly #perShard: number;
  readonly #name: string;
  readonly #keys = new Set<string>();
  readonly #written: WrittenShard[] = [];
  #shard: OpenShard | undefined;

  constructor(folder: string, { perShard = 1000, name = 'shard' }: WriteShardsOptions = {}) {
    if (!Number.isInteger(perShard) || perShard < 1)
      throw new RangeError(`Expected \`perShard\` to be a whole number above 0, got \`${perShard}\``);
    this.#folder = folder;
    this.#perShard = perShard;
    this.#name = name;
  }

  /**
   * Writes one record; settles when the next may come.
   *
   * @throws RangeError for a key that comes twice or holds a dot or slash, and for a record without files
   */
  async add(record: ShardRecord): Promise<void> {
    checkRecord(record);
    if (this.#keys.has(record.key)) throw new RangeError(`Expected every key once, got \`${record.key}\` again`);
    this.#keys.add(record.key);
    await mkdir(this.#folder, { recursive: true });
    const file = `${this.#name}-${String(this.#written.length).padStart(6, '0')}.tar`;
    this.#shard ??= new OpenShard(path.join(this.#folder, file));
    await this.#shard.add(record);
    if (this.#shard.records === this.#perShard) await this.#finish();
  }

  /** Puts the last shard in its place; all shards. */
  async close(): Promise<readonly WrittenShard[]> {
    await this.#finish();
    return this.#written;
  }

  /** Takes back the shard that is being written, if there is one; those that are whole stay. */
  async abandon(): Promise<void> {
    await this.#shard?.abandon();
    this.#shard = undefined;
  }

  async #finish(): Promise<void> {
    const shard = this.#shard;
    this.#shard = undefined;
    if (shard) this.#written.push(await shard.close());
  }
}

/**
 * Writes records as WebDataset tar shards into `folder`, as {@link ShardWriter} does.
 *
 * @throws RangeError for a key that comes twice or holds a dot or slash, and for a record without files
 */
export const writeShards = async (
  records: Iterable<ShardRecord> | AsyncIterable<ShardRecord>,
  folder: string,
  { signal, ...options }: WriteShardsOptions = {},
): Promise<WrittenShard[]> => {
  const writer = new ShardWriter(folder, options);
  await mkdir(folder, { recursive: true });
  try {
    for await (const record of records) {
      signal?.throwIfAborted();
      await writer.add(record);
    }
    return [...(await writer.close())];
  } finally {
    await writer.abandon();
  }
};
