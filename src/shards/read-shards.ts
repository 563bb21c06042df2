import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import tar from 'tar-stream';

/** A sample read back: its key and its files by extension without the dot. */
export type ReadRecord = { readonly key: string; readonly files: Map<string, Buffer>; readonly shard: string };

/** How to read shards. */
export type ReadShardsOptions = {
  /** Largest entry taken, and all entries of a record together, bytes. @default 64 MiB */
  readonly maxEntryBytes?: number;
  readonly signal?: AbortSignal;
};

/** A shard that is torn, or holds what no shard should. Names the file and the entry. */
export class ShardError extends Error {
  override readonly name = 'ShardError';

  constructor(
    readonly shard: string,
    /** Name of the entry, or null where it is not about one. */
    readonly entry: string | null,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${shard}${entry === null ? '' : `, entry ${entry}`}: ${problem}`, options);
  }
}

/** Most files of one record: pairs have four. */
const maxFilesOfRecord = 1000;

/** Most bytes between two entries, and behind the last: writers fill up to records of some kilobytes with zeros. */
const maxGapBytes = 16 * 1024 ** 2;

// A tar ends with two blocks of zeros. One that was cut between two entries reads well but for them.
const requireEnd = async (shard: string): Promise<void> => {
  const facts = await stat(shard).catch((error: NodeJS.ErrnoException) => {
    throw new ShardError(shard, null, `cannot be read (${error.code ?? error.message})`, { cause: error });
  });
  // A pipe would be waited for.
  if (!facts.isFile()) throw new ShardError(shard, null, 'is no file');
  const handle = await open(shard);
  try {
    const { size } = await handle.stat();
    const tail = Buffer.alloc(1024, 1);
    if (size >= 1024) await handle.read(tail, 0, 1024, size - 1024);
    if (size % 512 !== 0 || tail.some((byte) => byte !== 0)) {
      throw new ShardError(shard, null, `torn: its ${size} bytes do not end with the end mark of a tar`);
    }
  } finally {
    await handle.close();
  }
};

/** Splits an entry's name at the first dot of its last part, as WebDataset does: `d/k.a.jpg` is key `d/k`, extension `a.jpg`. */
const splitName = (name: string): { key: string; extension: string } | null => {
  const found = /^((?:[^/]+\/)*[^/.]+)\.([^/]+)$/.exec(name);
  return found === null ? null : { key: found[1] as string, extension: found[2] as string };
};

async function* readShard(
  shard: string,
  maxEntryBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ReadRecord, void, void> {
  const extract = tar.extract();
  const source = createReadStream(shard);
  source.on('error', (error) => extract.destroy(error));
  /** Where the entry at hand ends in the file. */
  let entryEnd = 0;
  source.on('data', () => {
    if (source.bytesRead - entryEnd > maxGapBytes) {
      extract.destroy(new Error(`more than ${maxGapBytes} bytes are between entries or behind the last`));
    }
  });
  source.pipe(extract);
  let recordBytes = 0;
  let record: ReadRecord | undefined;
  let entryName: string | null = null;
  try {
    for await (const entry of extract) {
      signal?.throwIfAborted();
      const { name: rawName, type, size = 0 } = entry.header;
      entryEnd = (entry.header as { byteOffset?: number }).byteOffset! + size;
      const name = rawName.replace(/^(\.\/)+/, '');
      entryName = rawName;
      const refuse = (problem: string): ShardError => new ShardError(shard, rawName, `refused: ${problem}`);
      if (name.startsWith('/') || /[\\\0]/.test(name) || name.split('/').includes('..'))
        throw refuse('its name leads out of the folder');
      if (type === 'directory') {
        entry.resume();
        continue;
      }
      if (type !== 'file' && type !== 'contiguous-file')
        throw refuse(`it is a ${type ?? 'thing of unknown kind'}, not a file`);
      if (size > maxEntryBytes) throw refuse(`its ${size} bytes are more than the ${maxEntryBytes} that are taken`);
      const parts = splitName(name);
      if (parts === null) throw refuse('its name has no key and extension');
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      if (record !== undefined && record.key !== parts.key) {
        yield record;
        record = undefined;
      }
      recordBytes = (record ? recordBytes : 0) + size;
      if (recordBytes > maxEntryBytes || (record?.files.size ?? 0) >= maxFilesOfRecord) {
        throw refuse(`its record has more than ${maxEntryBytes} bytes or ${maxFilesOfRecord} files`);
      }
      record ??= { key: parts.key, files: new Map(), shard };
      if (record.files.has(parts.extension)) throw refuse('it comes twice');
      record.files.set(parts.extension, Buffer.concat(chunks));
    }
  } catch (error) {
    if (error instanceof ShardError || signal?.aborted === true) throw error;
    throw new ShardError(
      shard,
      entryName,
      `torn or not a tar, there or right after it: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    source.destroy();
    extract.destroy();
  }
  if (record !== undefined) yield record;
}

/**
 * Reads WebDataset tar shards record by record, in order, with one record in memory. Strict, since shards travel: links, devices, names that lead
 * out, entries that are too large or come twice, a key that comes again in another place and torn files are errors that name shard and entry.
 *
 * @throws ShardError
 */
export async function* readShards(
  shards: readonly string[],
  { maxEntryBytes = 64 * 1024 ** 2, signal }: ReadShardsOptions = {},
): AsyncGenerator<ReadRecord, void, void> {
  const keys = new Set<string>();
  for (const shard of shards) {
    await requireEnd(shard);
    for await (const record of readShard(shard, maxEntryBytes, signal)) {
      if (keys.has(record.key))
        throw new ShardError(shard, record.key, 'refused: this key came before, its files must stand together');
      keys.add(record.key);
      yield record;
    }
  }
}
