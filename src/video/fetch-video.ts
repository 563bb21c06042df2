import { open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '../pipeline/canonical-json.js';
import { killPoint } from '../pipeline/kill-point.js';
import { isPrivateAddress, publicLookup } from './private-address.js';
import { guessKind } from './refusal.js';
import { parseAddress, shownAddress } from './video-address.js';
import { VideoRejection } from './video-rejection.js';

/** How to fetch a video. */
export type FetchOptions = {
  /** Largest file taken, bytes. @default 4 GiB */
  readonly maxBytes?: number;
  /** Longest time without a byte, seconds, from the start of the connection on. @default 30 */
  readonly stallSeconds?: number;
  /** Longest time for all tries together, seconds. What came stays, and the next call goes on from it. @default 3600 */
  readonly totalSeconds?: number;
  /** Tries, each of which goes on where the one before broke off. @default 4 */
  readonly tries?: number;
  /** Pause before the second try, seconds; it doubles from try to try, and is as long as the server asks for (`Retry-After`) where that is longer. @default 1 */
  readonly pauseSeconds?: number;
  /** @default 5 */
  readonly maxRedirects?: number;
  /** Whether addresses of this machine and of private networks may be asked. @default false */
  readonly allowPrivate?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes are there, and how many there will be where the server says so. */
  readonly onProgress?: (bytes: number, length: number | null) => void;
};

/** What was fetched. */
export type FetchedVideo = {
  readonly bytes: number;
  /** Bytes that an earlier call or try had brought already and were not asked for again; 0 where there were none. */
  readonly resumedFrom: number;
};

/** The fetch did not come to its end for a reason that may be gone the next time; what came lies beside the target, to go on from. */
export class FetchFailure extends Error {
  override readonly name = 'FetchFailure';

  constructor(
    /** Why, without the address, so that a thousand of them are one reason. */
    readonly reason: string,
    {
      shown,
      cause,
      afterSeconds = 0,
    }: { readonly shown?: string; readonly cause?: unknown; readonly afterSeconds?: number } = {},
  ) {
    super(shown === undefined ? reason : `${shown}: ${reason}`, cause === undefined ? {} : { cause });
    this.afterSeconds = afterSeconds;
  }

  /** How long the server asked to be left alone (`Retry-After`). */
  readonly afterSeconds: number;
}

/** Refused because of an option of the call (`maxBytes`, `allowPrivate`), and not for what the file is: with another value it may be taken. */
export class FetchLimit extends VideoRejection {}

/**
 * What is known of the file that a part belongs to: the sha256 of its address, which may hold secrets, and the validator, an ETag or a date
 * that `If-Range` takes.
 */
type PartNote = { readonly address: string; readonly validator: string | null; readonly length: number | null };

/** First bytes that tell what a file is. */
const headBytes = 512;

const redirects = new Set([301, 302, 303, 307, 308]);
const ofTheDisk: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EACCES', 'EROFS']);
/** Whether the same request may be answered otherwise a moment later. */
const passes = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500;

/** How what is not taken is said: for what it is, or for an option of the call. */
type Refusals = { reject(reason: string): VideoRejection; limit(reason: string): FetchLimit };

const privateReason = 'it leads to an address of this machine or of a private network';

const checkAddress = (address: URL, { reject, limit }: Refusals, allowPrivate: boolean): void => {
  if (address.protocol !== 'http:' && address.protocol !== 'https:')
    throw reject(`addresses of the kind \`${address.protocol}\` are not followed, only http and https`);
  const host = address.hostname.replace(/^\[|\]$/g, '');
  if (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) throw limit(privateReason);
};

const send = (address: URL, headers: http.OutgoingHttpHeaders, allowPrivate: boolean): http.ClientRequest => {
  const options = { headers, agent: false, ...(allowPrivate ? {} : { lookup: publicLookup }) };
  return (address.protocol === 'https:' ? https.request(address, options) : http.request(address, options)).end();
};

const stated = (header: string | undefined): number | null =>
  header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : null;

/** `bytes 100-199/200` as its three numbers, null where it is not that, the last null for `*`. */
const parseRange = (header: string | undefined): { from: number; to: number; total: number | null } | null => {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header ?? '');
  return found === null ? null : { from: Number(found[1]), to: Number(found[2]), total: stated(found[3]) };
};

/** `Retry-After` in seconds: a number, or a date by this machine's clock; 0 where it is neither. */
const secondsToWait = (header: string | undefined): number => {
  const seconds = stated(header) ?? (Date.parse(header ?? '') - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
};

const validatorOf = ({ headers }: IncomingMessage): string | null => {
  const { etag } = headers;
  if (etag !== undefined && !etag.startsWith('W/')) return etag;
  return headers['last-modified'] ?? null;
};

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );

/** One download: where it goes and what it may cost. */
class Download {
  readonly part: string;
  readonly note: string;
  readonly identity: string;

  constructor(
    readonly address: URL,
    readonly target: string,
    readonly options: Required<Omit<FetchOptions, 'signal'>>,
    readonly refusals: Refusals,
    /** Ends with the time of all tries, or with the caller's signal. */
    readonly signal: AbortSignal,
  ) {
    this.part = `${target}.part`;
    this.note = `${target}.part.json`;
    this.identity = sha256(address.href);
  }

  /** What is there of the file, and by what the server is to know it; nothing where that is in doubt. */
  async #begun(): Promise<{ size: number; note: PartNote | null }> {
    const note = await readFile(this.note, 'utf8')
      .then((text) => JSON.parse(text) as PartNote)
      .catch(() => null);
    const size = await sizeOf(this.part);
    if (note === null || note.address !== this.identity || note.validator === null || size === 0) {
      return { size: 0, note: null };
    }
    return { size, note };
  }

  /** Asks, following redirects, each of which is checked as the first address was. */
  async #ask(
    headers: http.OutgoingHttpHeaders,
    watch: (request: http.ClientRequest) => void,
  ): Promise<IncomingMessage> {
    let address = this.address;
    for (let hops = 0; ; hops++) {
      checkAddress(address, this.refusals, this.options.allowPrivate);
      const request = send(address, headers, this.options.allowPrivate);
      watch(request);
      const response = await new Promise<IncomingMessage>((resolve, fail) => {
        request.on('response', resolve);
        request.on('error', fail);
      });
      const { location } = response.headers;
      if (!redirects.has(response.statusCode ?? 0) || location === undefined) return response;
      response.destroy();
      if (hops >= this.options.maxRedirects)
        throw this.refusals.reject(`more than ${this.options.maxRedirects} redirects`);
      if (!URL.canParse(location, address.href)) throw this.refusals.reject('it redirects to what is no address');
      const next = new URL(location, address);
      if (address.protocol === 'https:' && next.protocol === 'http:')
        throw this.refusals.reject('it redirects from https to http');
      address = next;
    }
  }

  // What kind of answer it is: the byte it begins at and the file's length, or a rejection or failure.
  #judge(response: IncomingMessage, size: number, note: PartNote | null): { from: number; length: number | null } {
    const { statusCode = 0, headers } = response;
    const { maxBytes } = this.options;
    const { reject, limit } = this.refusals;
    if (passes(statusCode)) {
      const afterSeconds = secondsToWait(headers['retry-after']);
      throw new FetchFailure(`the server answered ${statusCode}`, { afterSeconds });
    }
    if (statusCode !== 200 && statusCode !== 206) throw reject(`the server answered ${statusCode}`);
    const type = headers['content-type'] ?? '';
    if (/^(text\/html|application\/xhtml)/i.test(type)) throw reject('not a video but a web page');
    const encoding = headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') throw reject(`it comes encoded as ${encoding}, which was not asked for`);
    const range = statusCode === 206 ? parseRange(headers['content-range']) : null;
    if (statusCode === 206 && (range === null || range.from !== size)) {
      throw new FetchFailure('the server answered with another part than was asked for');
    }
    const length = statusCode === 206 ? (range?.total ?? null) : stated(headers['content-length']);
    if (length !== null && length > maxBytes) throw limit(`its ${length} bytes are more than maxBytes = ${maxBytes}`);
    if (statusCode === 206 && note !== null && note.length !== null && length !== null && length !== note.length) {
      throw new FetchFailure(`the file's length changed from ${note.length} to ${length} bytes`);
    }
    return { from: statusCode === 206 ? size : 0, length };
  }

  #look(head: Buffer): void {
    const kind = guessKind(head.subarray(0, headBytes));
    if (kind !== null) throw this.refusals.reject(`not a video but ${kind}`);
  }

  async #receive(response: IncomingMessage, from: number, length: number | null, touch: () => void): Promise<number> {
    const { maxBytes, onProgress } = this.options;
    await truncate(this.part, from).catch(() => undefined);
    const file = await open(this.part, from > 0 ? 'r+' : 'w+');
    let size = from;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        touch();
        if (size === 0 && chunk.length >= headBytes) this.#look(chunk);
        if (size + chunk.length > maxBytes) throw this.refusals.limit(`it is longer than maxBytes = ${maxBytes}`);
        for (let at = 0; at < chunk.length;)
          at += (await file.write(chunk, at, chunk.length - at, size + at)).bytesWritten;
        size += chunk.length;
        killPoint('download: piece written');
        onProgress(size, length);
      }
      const head = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
      this.#look(head.buffer.subarray(0, head.bytesRead));
      killPoint('download: before flush');
      await file.sync();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      throw new FetchFailure(`the connection ended after ${size}${length === null ? '' : ` of ${length}`} bytes`);
    } finally {
      await file.close();
      response.destroy();
    }
    if (length !== null && size !== length) {
      throw new FetchFailure(`the connection ended after ${size} of ${length} bytes`);
    }
    return size;
  }

  /** One try. What it brought stays in the part, unless it belongs to no file that the server still has. */
  async run(): Promise<FetchedVideo> {
    const { size, note } = await this.#begun();
    const headers: http.OutgoingHttpHeaders = { 'accept-encoding': 'identity', 'user-agent': 'video-ssl' };
    if (note !== null) Object.assign(headers, { range: `bytes=${size}-`, 'if-range': note.validator });
    let request: http.ClientRequest | undefined;
    let ended: Error | undefined; // why it was ended here: the socket itself tells only that it was
    const end = (why: Error): void => {
      ended ??= why;
      request?.destroy(why);
    };
    let stalled: NodeJS.Timeout | undefined;
    const touch = (): void => {
      clearTimeout(stalled);
      stalled = setTimeout(
        () => end(new FetchFailure(`no byte came for ${this.options.stallSeconds} s`)),
        this.options.stallSeconds * 1000,
      );
    };
    const stop = (): void => end(this.signal.reason as Error);
    this.signal.addEventListener('abort', stop);
    try {
      const response = await this.#ask(headers, (next) => {
        request = next;
        next.on('error', () => undefined); // told by the response or by `#ask`
        if (this.signal.aborted) stop();
        touch();
      });
      if (response.statusCode === 416) {
        response.destroy();
        await this.forget();
        throw new FetchFailure('the server has no such part of the file any more');
      }
      const { from, length } = this.#judge(response, size, note);
      if (from === 0) {
        await rm(this.part, { force: true });
        const next: PartNote = { address: this.identity, validator: validatorOf(response), length };
        killPoint('download: before the note');
        await writeFile(this.note, JSON.stringify(next));
        killPoint('download: after the note');
      }
      const bytes = await this.#receive(response, from, length, touch);
      if (bytes === 0) throw this.refusals.reject('the file is empty');
      killPoint('download: before rename');
      await rename(this.part, this.target);
      killPoint('download: after rename');
      await rm(this.note, { force: true });
      killPoint('download: after removing the note');
      return { bytes, resumedFrom: from };
    } catch (error) {
      throw error instanceof VideoRejection ? error : (ended ?? error);
    } finally {
      clearTimeout(stalled);
      this.signal.removeEventListener('abort', stop);
      request?.destroy();
    }
  }

  /** Takes away what came so far. */
  async forget(): Promise<void> {
    await rm(this.part, { force: true });
    await rm(this.note, { force: true });
  }
}

/**
 * Fetches a video from an http(s) address into the file `target`, which appears whole or not at all: what comes lies in `target.part` until its end,
 * and both a further try and a later call go on from there, if the server still has the same file (`Range` with `If-Range`).
 * Redirects are followed to http(s) addresses only and never from https to http; no address of this machine or of a private network is asked, whatever
 * name leads to it. Web pages, playlists and other files that are no videos are refused by their first bytes.
 *
 * @throws VideoRejection for what would be the same tomorrow: refused by the server, no video, an address that is not followed
 * @throws FetchLimit, which is a VideoRejection, for what options of this call refuse: too large, a private address
 * @throws FetchFailure where it stalled, broke off or took too long, after all tries
 * @throws the signal's reason where it was aborted
 */
export const fetchVideo = async (
  address: string,
  target: string,
  options: FetchOptions = {},
): Promise<FetchedVideo> => {
  const { maxBytes = 4 * 1024 ** 3, stallSeconds = 30, totalSeconds = 3600, tries = 4 } = options;
  const { pauseSeconds = 1, maxRedirects = 5, allowPrivate = false, signal, onProgress = () => undefined } = options;
  if (!URL.canParse(address)) throw new VideoRejection(parseAddress(address).label, 'it is no address');
  const url = new URL(address);
  url.hash = '';
  const shown = shownAddress(url);
  const refusals: Refusals = {
    reject: (reason) => new VideoRejection(shown, reason),
    limit: (reason) => new FetchLimit(shown, reason),
  };
  const tooLong = new FetchFailure(`it took more than ${totalSeconds} s; the next run goes on from there`, { shown });
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(tooLong), totalSeconds * 1000);
  const ending = signal === undefined ? clock.signal : AbortSignal.any([clock.signal, signal]);
  const limits = { maxBytes, stallSeconds, totalSeconds, tries, pauseSeconds, maxRedirects, allowPrivate, onProgress };
  const download = new Download(url, target, limits, refusals, ending);
  try {
    for (let n = 1; ; n++) {
      try {
        ending.throwIfAborted();
        return await download.run();
      } catch (error) {
        ending.throwIfAborted();
        if (error instanceof VideoRejection) {
          await download.forget();
          throw error;
        }
        const { code, message, syscall } = error as NodeJS.ErrnoException;
        if (code === 'EPRIVATE') throw refusals.limit(privateReason);
        if (code !== undefined && ofTheDisk.has(code) && syscall !== 'connect') throw error;
        if (n >= tries)
          throw new FetchFailure(`${message} (${n} ${n === 1 ? 'try' : 'tries'})`, { shown, cause: error });
        const asked = error instanceof FetchFailure ? error.afterSeconds : 0;
        // A wait beyond the time of all tries is cut short by their end, which is then the reason told.
        const pause = Math.min(Math.max(pauseSeconds * 2 ** (n - 1), asked), totalSeconds + 1);
        await sleep(pause * 1000, undefined, { signal: ending }).catch(() => undefined);
      }
    }
  } finally {
    clearTimeout(timer);
  }
};
