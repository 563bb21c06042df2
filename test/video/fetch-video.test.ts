import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { RandomStream } from '../../src/numeric/random.js';
import { sha256 } from '../../src/pipeline/canonical-json.js';
import { FetchFailure, FetchLimit, fetchVideo } from '../../src/video/fetch-video.js';
import type { FetchOptions } from '../../src/video/fetch-video.js';
import { isPrivateAddress } from '../../src/video/private-address.js';
import { VideoRejection } from '../../src/video/video-rejection.js';
import { useFolder } from './fixtures.js';

const bytesOf = (seed: number, length = 300_000): Buffer => {
  const random = RandomStream.of(seed, 'file');
  return Buffer.from(Uint8Array.from({ length }, () => random.integer(256)));
};
const video = bytesOf(1);

/** What the server does with the requests to come, one after the other; the last goes on for ever. */
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const whole =
  (body = video, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(200, { etag: '"a"', 'content-length': body.length, ...headers }).end(body);

/** Answers `Range` where `If-Range` fits; sends `share` of what it states and then breaks off, or falls silent. */
const partly =
  (share: number, then: 'break' | 'stall', { body = video, etag = '"a"' } = {}): Answer =>
  (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = request.headers['if-range'] === etag ? body.subarray(from) : body;
    const partial = rest.length < body.length;
    const range = { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` };
    response.writeHead(partial ? 206 : 200, { etag, 'content-length': rest.length, ...(partial ? range : {}) });
    response.write(rest.subarray(0, Math.ceil(rest.length * share)), () => {
      if (share === 1) response.end();
      else if (then === 'break') setTimeout(() => response.destroy(), 30);
    });
  };

describe('fetching a video', () => {
  const folder = useFolder();
  let server: Server;
  let origin = '';
  let answers: Answer[] = [];
  let requests: { url: string; range: string | undefined; ifRange: string | undefined }[] = [];
  let count = 0;
  before(async () => {
    server = createServer((request, response) => {
      const { range, 'if-range': ifRange } = request.headers;
      requests.push({ url: request.url ?? '', range, ifRange: ifRange as string | undefined });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(request, response);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const quick: FetchOptions = { allowPrivate: true, pauseSeconds: 0.01, stallSeconds: 0.5, totalSeconds: 20, tries: 3 };
  const play = (...script: Answer[]): string => {
    answers = script;
    requests = [];
    return path.join(folder.path, `fetched-${++count}.mp4`);
  };
  const rejects = (
    reason: RegExp,
    target: string,
    options: FetchOptions = {},
    address = `${origin}/v.mp4`,
  ): Promise<void> =>
    assert.rejects(fetchVideo(address, target, { ...quick, ...options }), (error) => {
      assert.ok(error instanceof VideoRejection, String(error));
      assert.match(error.reason, reason);
      assert.ok(!existsSync(target) && !existsSync(`${target}.part`), 'nothing is left');
      return true;
    });

  it('brings the file under its name, and leaves nothing else', async () => {
    const target = play(whole());
    assert.deepEqual(await fetchVideo(`${origin}/v.mp4#t=3`, target, quick), { bytes: video.length, resumedFrom: 0 });
    assert.deepEqual(await readFile(target), video);
    assert.ok(!existsSync(`${target}.part`) && !existsSync(`${target}.part.json`));
    assert.equal(requests[0]!.url, '/v.mp4');
  });

  it('goes on where the connection broke off, and asks for no byte twice', async () => {
    const target = play(partly(0.5, 'break'), partly(0.5, 'break'), partly(1, 'break'));
    const { resumedFrom } = await fetchVideo(`${origin}/v.mp4`, target, quick);
    assert.deepEqual(await readFile(target), video);
    // How much of what was sent before a break arrives is the network's affair.
    const starts = requests.map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0));
    assert.ok(starts[0] === 0 && starts[1]! > 0 && starts[2]! > starts[1]!, starts.join());
    assert.equal(starts[2], resumedFrom);
    assert.deepEqual(
      requests.map(({ ifRange }) => ifRange),
      [undefined, '"a"', '"a"'],
    );
  });

  it('ends a try that stalls, and the next call goes on from its bytes', async () => {
    const target = play(partly(0.5, 'stall'));
    const began = Date.now();
    await assert.rejects(
      fetchVideo(`${origin}/v.mp4`, target, { ...quick, tries: 1 }),
      (error) => error instanceof FetchFailure && error.reason === 'no byte came for 0.5 s (1 try)',
    );
    assert.ok(Date.now() - began < 10_000);
    assert.ok(!existsSync(target), 'half a file has not the name of a whole one');
    answers = [partly(1, 'stall')];
    assert.equal((await fetchVideo(`${origin}/v.mp4`, target, quick)).resumedFrom, 150_000);
    assert.deepEqual(await readFile(target), video);
  });

  it('stalls no longer where the server never answers at all', async () => {
    const target = play(() => undefined);
    await assert.rejects(fetchVideo(`${origin}/v.mp4`, target, { ...quick, tries: 1 }), /no byte came/);
  });

  it('ends at its total time however steadily bytes drip', async () => {
    const target = play((_, response) => {
      response.writeHead(200, { etag: '"a"' });
      const drip = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(drip));
    });
    await assert.rejects(
      fetchVideo(`${origin}/v.mp4`, target, { ...quick, totalSeconds: 1 }),
      (error) => error instanceof FetchFailure && /more than 1 s/.test(error.message),
    );
  });

  it('begins anew where the file has changed between two tries, and mixes no two files', async () => {
    const other = bytesOf(2);
    const target = play(partly(0.5, 'break'), partly(1, 'break', { body: other, etag: '"b"' }));
    assert.equal((await fetchVideo(`${origin}/v.mp4`, target, quick)).resumedFrom, 0);
    assert.deepEqual(await readFile(target), other);
  });

  it('begins anew without a validator, for another address, and where its notes are damaged', async () => {
    const target = play(whole());
    const part = { address: sha256(`${origin}/v.mp4`), validator: null, length: video.length };
    for (const note of [
      JSON.stringify(part),
      JSON.stringify({ ...part, address: sha256('http://x/'), validator: '"a"' }),
      '{',
    ]) {
      await writeFile(`${target}.part`, 'of another file');
      await writeFile(`${target}.part.json`, note);
      await fetchVideo(`${origin}/v.mp4`, target, quick);
      assert.deepEqual(await readFile(target), video);
    }
    assert.ok(requests.every(({ range }) => range === undefined));
  });

  it('takes no other part than the one it asked for', async () => {
    const target = play(
      partly(0.5, 'break'),
      (_, response) =>
        void response.writeHead(206, { etag: '"a"', 'content-range': 'bytes 0-299999/300000' }).end(video),
      (_, response) => void response.writeHead(416).end(),
      whole(),
    );
    await fetchVideo(`${origin}/v.mp4`, target, { ...quick, tries: 4 });
    assert.deepEqual(await readFile(target), video);
  });

  it('fails where the server states more bytes than it has', async () => {
    const target = play((_, response) => {
      response.writeHead(200, { 'content-length': video.length + 5 });
      response.write(video, () => setTimeout(() => response.destroy(), 30));
    });
    await assert.rejects(fetchVideo(`${origin}/v.mp4`, target, quick), FetchFailure);
    assert.ok(!existsSync(target));
    assert.equal(requests.length, 3);
  });

  it('refuses what is too large, whether the server says so or not', async () => {
    const before = play(whole());
    await rejects(/300000 bytes are more than maxBytes = 200000/, before, { maxBytes: 200_000 });
    await rejects(
      /longer than maxBytes/,
      play((_, response) => void response.writeHead(200).end(video)),
      { maxBytes: 200_000 },
    );
    assert.equal(requests.length, 1);
  });

  it('tells what an option refuses from what is no video', async () => {
    const target = play(whole());
    await assert.rejects(fetchVideo(`${origin}/v.mp4`, target, { ...quick, maxBytes: 9 }), FetchLimit);
    await assert.rejects(fetchVideo(`${origin}/v.mp4`, target, { ...quick, allowPrivate: false }), FetchLimit);
    const refused = play((_, response) => void response.writeHead(404).end());
    await assert.rejects(fetchVideo(`${origin}/v.mp4`, refused, quick), (error) => !(error instanceof FetchLimit));
  });

  it('tells how far it is', async () => {
    const target = play(whole());
    const heard: (number | null)[][] = [];
    await fetchVideo(`${origin}/v.mp4`, target, { ...quick, onProgress: (...came) => heard.push(came) });
    assert.deepEqual(heard.at(-1), [video.length, video.length]);
  });

  it('refuses what is no video, and what the server refuses', async () => {
    await rejects(/a web page/, play(whole(video, { 'content-type': 'text/html; charset=utf-8' })));
    await rejects(/a web page/, play(whole(Buffer.from('<!doctype html><title>Sign in</title>'))));
    await rejects(/playlist \(m3u8\)/, play(whole(Buffer.from('#EXTM3U\nhttp://x/\n'))));
    await rejects(/encoded as gzip/, play(whole(video, { 'content-encoding': 'gzip' })));
    await rejects(/the file is empty/, play(whole(Buffer.alloc(0))));
    await rejects(
      /answered 404/,
      play((_, response) => void response.writeHead(404).end()),
    );
    assert.equal(requests.length, 1, 'a refusal is not asked again');
  });

  it('asks again where the server is busy', async () => {
    const target = play((_, response) => void response.writeHead(503).end(), whole());
    await fetchVideo(`${origin}/v.mp4`, target, quick);
    assert.equal(requests.length, 2);
  });

  it('waits as long as a busy server asks for, and no longer than all tries may take', async () => {
    const busy: Answer = (_, response) => void response.writeHead(429, { 'retry-after': '1' }).end();
    const begun = performance.now();
    await fetchVideo(`${origin}/v.mp4`, play(busy, whole()), quick);
    assert.ok(performance.now() - begun >= 950, `asked again after ${performance.now() - begun} ms`);
    const never: Answer = (_, response) => void response.writeHead(503, { 'retry-after': '86400' }).end();
    await assert.rejects(
      fetchVideo(`${origin}/v.mp4`, play(never, whole()), { ...quick, totalSeconds: 0.3 }),
      /it took more than 0.3 s/,
    );
    assert.equal(requests.length, 1);
  });

  it('follows redirects, but not in circles, to other protocols or to private addresses', async () => {
    const to =
      (location: string): Answer =>
      (_, response) =>
        void response.writeHead(302, { location }).end();
    const target = play(to('/other'), whole());
    await fetchVideo(`${origin}/v.mp4`, target, quick);
    assert.deepEqual(
      requests.map(({ url }) => url),
      ['/v.mp4', '/other'],
    );
    await rejects(/more than 5 redirects/, play(to('/v.mp4')));
    for (const location of ['file:///etc/passwd', 'ftp://127.0.0.1/x', 'data:video/mp4;base64,AAAA'])
      await rejects(/only http and https/, play(to(location)));
    await rejects(/only http and https/, play(whole()), {}, 'file:///etc/passwd');
    await rejects(/no address/, play(whole()), {}, 'not an address');
  });

  it('asks nobody within: no private address, no name that leads to one', async () => {
    const { port } = new URL(origin);
    const hosts = [
      '127.0.0.1',
      'localhost',
      '2130706433',
      '0x7f.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
      '169.254.169.254',
    ];
    const target = play(whole());
    for (const host of hosts)
      await rejects(
        /of this machine or of a private network/,
        target,
        { allowPrivate: false },
        `http://${host}:${port}/v.mp4`,
      );
    assert.deepEqual(requests, []);
    for (const address of [
      '10.1.2.3',
      '172.31.0.1',
      '192.168.0.1',
      '100.64.0.1',
      'fe80::1',
      'fd00::1',
      '64:ff9b::a00:1',
      '224.0.0.1',
      'x',
    ])
      assert.equal(isPrivateAddress(address), true, address);
    for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])
      assert.equal(isPrivateAddress(address), false, address);
  });

  it('names no password', async () => {
    const target = play((_, response) => void response.writeHead(404).end());
    const address = origin.replace('//', '//user:secret@');
    await assert.rejects(
      fetchVideo(`${address}/v.mp4?token=secret`, target, quick),
      (error) => !/secret/.test(String(error)),
    );
    // Nor does what lies on the disk meanwhile.
    const stalled = play(partly(0.5, 'stall'));
    await assert.rejects(fetchVideo(`${address}/v.mp4?token=secret`, stalled, { ...quick, tries: 1 }), FetchFailure);
    assert.doesNotMatch(await readFile(`${stalled}.part.json`, 'utf8'), /secret/);
  });

  it('ends with its signal', async () => {
    const target = play(partly(0.5, 'stall'));
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 100);
    await assert.rejects(
      fetchVideo(`${origin}/v.mp4`, target, { ...quick, stallSeconds: 9, signal: controller.signal }),
      reason,
    );
  });
});
