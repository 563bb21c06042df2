import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { videoSsl } from '../../pipelines/video-ssl/index.js';
import { sha256 } from '../../src/pipeline/canonical-json.js';
import { makeVideo, quadrantFrames, x264 } from '../video/fixtures.js';
import { answers, serve, VideoServer } from './fixtures/video-server.js';
import { VideosRun, type VideoItem } from './fixtures/videos-run.js';

describe('video-ssl with addresses in its list', function () {
  this.timeout(60_000);
  const run = new VideosRun();
  const server = new VideoServer();
  /** Videos of different length, some ten kilobytes each. */
  const videos: Buffer[] = [];
  before(async () => {
    await server.open();
    await mkdir(run.at('local'));
    for (let i = 0; i < 6; i++) {
      const file = await makeVideo(run.at('local', `${i}.mp4`), quadrantFrames(12 + i), x264);
      videos.push(readFileSync(file));
    }
  });
  after(() => {
    server.close();
    run.remove();
  });

  let lists = 0;
  const list = (...lines: string[]): string => {
    const file = run.at(`list-${++lists}.txt`);
    writeFileSync(file, lines.join('\n'));
    return file;
  };
  const quick = ['stallSeconds=0.4', 'pauseSeconds=0.01', 'tries=2', 'allowPrivate=true'];
  const args = (file: string, ...more: string[]): string[] => [
    ...['--videos', file, '--fetch', '--until', 'index'],
    ...quick.flatMap((one) => ['--set', `fetch.${one}`]),
    ...more,
  ];
  const verdicts = (work: string, stage: string): Record<string, string> =>
    Object.fromEntries(
      run
        .items(work)
        .filter((item) => item.stage === stage)
        .map(({ label, status, reason }) => [
          label.replace(server.origin, ''),
          // How much of what was sent before a break arrives is the network's affair.
          reason ? `${status}: ${reason.replace(/after \d+ of/, 'after some of')}` : status,
        ]),
    );
  const item = (work: string, label: string): VideoItem => {
    const found = run.items(work).find((one) => one.stage === 'fetch' && one.label === server.origin + label);
    assert.ok(found, label);
    return found;
  };
  const succeed = async (work: string, words: readonly string[]): Promise<string> => {
    const end = await run.run(words, work);
    assert.equal(end.code, 0, end.out + end.err);
    return end.out;
  };

  it('ends at once without --fetch, naming it, asks nobody, and shows no secret', async () => {
    const address = server.on('/v.mp4', serve(videos[0]!));
    const file = list('local/0.mp4', address.replace('//', '//user:secret@') + '?key=secret');
    const end = await run.run(['--videos', file], 'refused');
    assert.equal(end.code, 2);
    assert.match(end.err, /got an address \(http:\/\/127\.0\.0\.1:\d+\/v\.mp4\?…\w{6}\): give --fetch/);
    assert.ok(!/secret/.test(end.out + end.err), end.err);
    assert.ok(!existsSync(run.at('refused')), 'nothing ran');
    assert.deepEqual(server.requests, []);
    for (const [options, message] of [
      [{ fetch: 'true' }, /--fetch beside a list of --videos .*got no --videos/],
      [{ fetch: 'true', videos: run.at('local') }, /--fetch beside a list .*which is no list/],
      [{ videos: file }, /give --fetch/],
    ] as const)
      assert.throws(() => videoSsl.stages({ options, seed: 1, seeds: 1 }), { name: 'UsageError', message });
    const stages = videoSsl.stages({ options: { fetch: 'true', videos: file }, seed: 1, seeds: 1 });
    const names = stages.map(({ name }) => name);
    assert.equal(names[names.indexOf('index') - 1], 'fetch');
  });

  it('takes files and addresses alike, each once, whatever the servers do, and says of each what became of it', async () => {
    const work = 'all';
    const [local, plain, broken, busy, moved, secret] = videos as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
    const file = list(
      'local/0.mp4',
      server.on('/plain.mp4', serve(plain)),
      server.on('/plain.mp4', serve(plain)) + '#t=4',
      server.on('/copy.mp4', serve(local)),
      server.on('/breaks.mp4', serve(broken, { share: 0.5 }), serve(broken)),
      server.on('/busy.mp4', answers(500), serve(busy)),
      server.on('/moved.mp4', answers(302, { location: '/there.mp4' })),
      server.on('/secret', serve(secret)).replace('//', '//user:secret@') + '?token=secret',
      server.on('/gone.mp4', answers(404)),
      server.on('/page.mp4', (_, response) => void response.end('<!doctype html><title>Sign in</title>')),
      server.on('/within.mp4', answers(302, { location: 'file:///etc/passwd' })),
      server.on('/stalls.mp4', serve(plain, { share: 0.5, then: 'stall' })),
      server.on('/lies.mp4', (_, response) => {
        response.writeHead(200, { 'content-length': plain.length + 5 });
        response.write(plain, () => setTimeout(() => response.destroy(), 30));
      }),
      server.on('/large.mp4', serve(Buffer.alloc(300_000, 7))),
      'rtsp://127.0.0.1/camera',
    );
    server.on('/there.mp4', serve(moved));
    const limit = ['--set', 'fetch.maxBytes=200000'];
    const out = await succeed(work, args(file, ...limit));
    const label = run
      .items(work)
      .find((one) => /secret\?…/.test(one.label))!
      .label.replace(server.origin, '');
    assert.deepEqual(verdicts(work, 'fetch'), {
      'rtsp://127.0.0.1/camera': 'rejected: addresses of the kind `rtsp:` are not followed, only http and https',
      '/plain.mp4': 'done',
      '/copy.mp4': 'done',
      '/breaks.mp4': 'done',
      '/busy.mp4': 'done',
      '/moved.mp4': 'done',
      [label]: 'done',
      '/gone.mp4': 'rejected: the server answered 404',
      '/page.mp4': 'rejected: not a video but a web page',
      '/within.mp4': 'rejected: addresses of the kind `file:` are not followed, only http and https',
      '/stalls.mp4': 'failed: no byte came for 0.4 s (2 tries)',
      '/lies.mp4': `failed: the connection ended after some of ${plain.length + 5} bytes (2 tries)`,
      '/large.mp4': 'failed: its 300000 bytes are more than maxBytes = 200000',
    });
    assert.deepEqual(
      Object.keys(verdicts(work, 'index')).sort(),
      ['/breaks.mp4', '/busy.mp4', '/moved.mp4', '/plain.mp4', label, 'local/0.mp4'].sort(),
    );
    assert.match(out, /copy\.mp4 has the same content as local\/0\.mp4: taken once/);
    assert.equal(server.asked('/plain.mp4').length, 1);
    assert.match(server.asked('/breaks.mp4')[1]!.range ?? '', /^bytes=[1-9]\d*-$/);
    assert.ok((JSON.parse(item(work, '/breaks.mp4').notes) as { resumedFrom: number }).resumedFrom > 0);
    assert.ok(
      run.files('fetch', work).some((name) => name.endsWith(`${sha256(moved)}.mp4`)),
      'named by its content',
    );
    const ledger = readFileSync(run.at(work, 'ledger.sqlite'), 'latin1') + out;
    assert.ok(!/user:secret|token=secret/.test(ledger), 'a secret stands in the ledger');

    // The next run tries again what failed, goes on from the bytes that are there, and asks for nothing else.
    const before = server.requests.length;
    server.on('/stalls.mp4', serve(plain));
    server.on('/gone.mp4', serve(busy));
    await succeed(work, args(file, ...limit));
    const asked = server.requests.slice(before);
    assert.deepEqual([...new Set(asked.map((one) => one.path))].sort(), ['/large.mp4', '/lies.mp4', '/stalls.mp4']);
    assert.match(asked.find((one) => one.path === '/stalls.mp4')!.range ?? '', /^bytes=[1-9]/);
    assert.equal(item(work, '/stalls.mp4').status, 'done');
    assert.equal(item(work, '/large.mp4').status, 'failed');

    // A limit that was raised takes what it refused; what a server refused is asked again where that is asked for.
    await succeed(work, args(file, '--set', 'fetch.maxBytes=400000', '--retry', 'rejected'));
    assert.equal(item(work, '/gone.mp4').status, 'done');
    assert.match(verdicts(work, 'index')['/large.mp4'] ?? '', /^rejected: not a video/);
    assert.ok(run.items(work).every(({ executions }) => executions === 1));

    // The failures stand where a later stage is asked for alone.
    const count = server.requests.length;
    const { code, err } = await run.run(args(file, '--set', 'fetch.maxBytes=400000', '--from', 'index'), work);
    assert.equal(code, 0, err);
    assert.equal(server.requests.length, count);
  });

  it('goes on where a kill or Ctrl-C ended a download, to the digest of a run that nothing disturbed', async () => {
    const [first, second] = videos as [Buffer, Buffer];
    const file = list(server.on('/slow.mp4', serve(first)), server.on('/other.mp4', serve(second)), 'local/3.mp4');
    const patient = ['--set', 'fetch.stallSeconds=30'];
    await succeed('undisturbed', args(file, ...patient));
    const half = serve(first, { share: 0.5, then: 'stall' });
    const partial = (): boolean =>
      run.files('fetch', 'killed').some((name) => {
        const place = run.at('killed', 'fetch', name);
        return path.basename(name) === 'video.part' && readFileSync(place).length >= first.length / 2;
      });
    for (const [signal, code] of [
      ['SIGKILL', null],
      ['SIGINT', 130],
    ] as const) {
      server.on('/slow.mp4', half);
      const before = server.asked('/slow.mp4').length;
      const begun = run.start(args(file, ...patient), 'killed');
      const other = (): boolean => verdicts('killed', 'fetch')['/other.mp4'] === 'done';
      await run.until('half', () => server.asked('/slow.mp4').length > before && partial() && other());
      begun.child.kill(signal);
      assert.equal((await begun.done).code, code);
      assert.equal(verdicts('killed', 'fetch')['/slow.mp4'], undefined, 'a run that was stopped failed nothing');
    }
    server.on('/slow.mp4', serve(first));
    await succeed('killed', args(file, ...patient));
    assert.match(server.asked('/slow.mp4').at(-1)!.range ?? '', /^bytes=[1-9]/);
    assert.equal(server.asked('/other.mp4').length, 2, 'what had come was not asked again');
    assert.equal(await run.digest('killed'), await run.digest('undisturbed'));
    assert.ok(!run.files('fetch', 'killed').some((name) => /\.(tmp|scratch|part)/.test(name)));
  });

  it('asks no address of this machine unless that is allowed, and fetches at most as many at once as is said', async () => {
    let open = 0;
    let most = 0;
    let release = (): void => undefined;
    const three = new Promise<void>((resolve) => (release = resolve));
    const together: Parameters<VideoServer['on']>[1] = (request, response) => {
      most = Math.max(most, ++open);
      // Nobody is answered before three ask, and then with time for a fourth to show.
      if (open === 3) setTimeout(release, 300);
      void three.then(() => (open--, serve(videos[0]!)(request, response)));
    };
    const file = list(...Array.from({ length: 6 }, (_, i) => server.on(`/at-once-${i}.mp4`, together)));
    const before = server.requests.length;
    await succeed('within', args(file, '--set', 'fetch.allowPrivate=false'));
    assert.equal(server.requests.length, before);
    for (const verdict of Object.values(verdicts('within', 'fetch')))
      assert.match(verdict, /^failed: .*private network/);
    await succeed('within', args(file, '--set', 'fetch.concurrency=3', '--set', 'fetch.stallSeconds=30'));
    assert.equal(most, 3);
    assert.ok(Object.values(verdicts('within', 'fetch')).every((verdict) => verdict === 'done'));
  });

  it('works on no video again when the first address is added to a list that is done', async () => {
    const names = ['local/1.mp4', 'local/2.mp4'];
    const file = list(...names);
    const all = ['--videos', file, '--set', 'fetch.allowPrivate=true', '--until', 'index'];
    await succeed('grown', all);
    const before = new Map(run.items('grown').map((one) => [one.key, one]));
    writeFileSync(file, [...names, server.on('/new.mp4', serve(videos[4]!))].join('\n'));
    await succeed('grown', [...all, '--fetch']);
    const came = run.items('grown').filter(({ key }) => !before.has(key));
    assert.deepEqual(came.map(({ stage, label }) => `${stage} ${label.replace(server.origin, '')}`).sort(), [
      'fetch /new.mp4',
      'index /new.mp4',
    ]);
    for (const one of run.items('grown')) if (before.has(one.key)) assert.deepEqual(one, before.get(one.key));
  });
});
