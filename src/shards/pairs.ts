import { z } from 'zod';
import type { Raster } from '../numeric/raster.js';
import { parseForeignJson } from '../pipeline/parse-json.js';
import { decodeJpeg, encodeJpeg } from './jpeg.js';
import type { PairRecord } from './pair-record.js';
import { readShards, ShardError } from './read-shards.js';
import type { ReadShardsOptions } from './read-shards.js';
import { ShardWriter, writeShards } from './write-shards.js';
import type { ShardRecord, WriteShardsOptions, WrittenShard } from './write-shards.js';

/** One mined pair with its pictures as JPEG. */
export type Pair = {
  readonly record: PairRecord;
  /** The first box of the track. */
  readonly a: Uint8Array;
  /** The last. */
  readonly b: Uint8Array;
  /** The `untracked` control: the first box, 30 frames later. */
  readonly u: Uint8Array;
};

/** A pair with its pictures decoded. */
export type DecodedPair = { readonly record: PairRecord; readonly a: Raster; readonly b: Raster; readonly u: Raster };

const frame = z.int().min(0);
const box = z.strictObject({
  x: z.number(),
  y: z.number(),
  width: z.number().positive(),
  height: z.number().positive(),
});

/** Most bytes of a record: the boxes of a track of ten thousand frames. */
const maxRecordBytes = 1024 ** 2;

/** What `<key>.json` must hold; the order of its fields is the order in which they are written. */
export const pairRecordSchema: z.ZodType<PairRecord> = z.strictObject({
  key: z.string().regex(/^[\w-]+$/),
  video: z.string().regex(/^[0-9a-f]{64}$/),
  videoLabel: z.string(),
  workingSize: z.tuple([z.int().positive(), z.int().positive()]),
  shot: frame,
  startFrame: frame,
  endFrame: frame,
  startTime: z.number(),
  endTime: z.number(),
  boxes: z.array(box).min(1),
  peaks: z.array(z.number()),
  minPeak: z.number(),
  forwardBackwardIou: z.number().min(0).max(1),
  movingShare: z.number().min(0).max(1),
  movingPointsInside: frame,
  points: frame,
  meanMotionPx: z.number().min(0),
  accepted: z.string(),
  untrackedBox: box,
});

/** Encodes the pictures of a pair. */
export const encodePair = async ({ record, a, b, u }: DecodedPair, quality?: number): Promise<Pair> => ({
  record,
  a: await encodeJpeg(a, quality),
  b: await encodeJpeg(b, quality),
  u: await encodeJpeg(u, quality),
});

/** Decodes the pictures of a pair. */
export const decodePair = async ({ record, a, b, u }: Pair): Promise<DecodedPair> => ({
  record,
  a: await decodeJpeg(a),
  b: await decodeJpeg(b),
  u: await decodeJpeg(u),
});

const asRecord = ({ record, a, b, u }: Pair): ShardRecord => ({
  key: record.key,
  files: new Map<string, Uint8Array>([
    ['a.jpg', a],
    ['b.jpg', b],
    ['u.jpg', u],
    ['json', Buffer.from(JSON.stringify(pairRecordSchema.parse(record)))],
  ]),
});

async function* asRecords(pairs: Iterable<Pair> | AsyncIterable<Pair>): AsyncGenerator<ShardRecord> {
  for await (const pair of pairs) yield asRecord(pair);
}

/** Writes mined pairs as they come, as {@link writePairs} does: a video may give more of them than memory holds. */
export class PairWriter {
  readonly #shards: ShardWriter;

  constructor(folder: string, options: WriteShardsOptions = {}) {
    this.#shards = new ShardWriter(folder, { name: 'pairs', ...options });
  }

  /**
   * Writes one pair; settles when the next may come.
   *
   * @throws ZodError where its record does not fit its schema
   */
  add(pair: Pair): Promise<void> {
    return this.#shards.add(asRecord(pair));
  }

  /** Puts the last shard in its place; all shards, none where there was no pair. */
  close(): Promise<readonly WrittenShard[]> {
    return this.#shards.close();
  }

  /** Takes back the shard that is being written, if there is one. */
  abandon(): Promise<void> {
    return this.#shards.abandon();
  }
}

/**
 * Writes mined pairs as WebDataset shards: `<key>.a.jpg`, `<key>.b.jpg`, `<key>.u.jpg`, `<key>.json` a pair. Order and bytes as `writeShards`.
 *
 * @throws ZodError where a record does not fit its schema
 */
export const writePairs = (
  pairs: Iterable<Pair> | AsyncIterable<Pair>,
  folder: string,
  options: WriteShardsOptions = {},
): Promise<WrittenShard[]> => writeShards(asRecords(pairs), folder, { name: 'pairs', ...options });

/**
 * Reads pairs back from shards, checking each record against the schema.
 *
 * @throws ShardError where a shard is torn, a file is missing or a record does not fit
 */
export async function* readPairs(
  shards: readonly string[],
  options: ReadShardsOptions = {},
): AsyncGenerator<Pair, void, void> {
  for await (const { key, files, shard } of readShards(shards, options)) {
    const get = (extension: string): Buffer => {
      const bytes = files.get(extension);
      if (bytes === undefined) throw new ShardError(shard, `${key}.${extension}`, 'is missing');
      return bytes;
    };
    const text = get('json');
    const refuse = (why: string): ShardError => new ShardError(shard, `${key}.json`, why);
    if (text.length > maxRecordBytes)
      throw refuse(`has ${text.length} bytes, more than the ${maxRecordBytes} that are taken`);
    let json: unknown;
    try {
      json = parseForeignJson(text.toString('utf8'), `${key}.json`);
    } catch (error) {
      throw new ShardError(shard, `${key}.json`, 'is not JSON', { cause: error });
    }
    const parsed = pairRecordSchema.safeParse(json);
    if (!parsed.success) {
      const first = new z.ZodError(parsed.error.issues.slice(0, 5));
      throw refuse(z.prettifyError(first));
    }
    if (parsed.data.key !== key)
      throw new ShardError(shard, `${key}.json`, `names another key, \`${parsed.data.key}\``);
    yield { record: parsed.data, a: get('a.jpg'), b: get('b.jpg'), u: get('u.jpg') };
  }
}
