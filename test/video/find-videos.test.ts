import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { findVideos, isVideoList } from '../../src/video/find-videos.js';
import { probeVideo } from '../../src/video/probe-video.js';
import { parseAddress, shownAddress } from '../../src/video/video-address.js';
import { useFolder } from './fixtures.js';

describe('finding videos', () => {
  const folder = useFolder();
  const at = (...parts: string[]): string => path.join(folder.path, ...parts);
  const allowedBefore = process.env['VIDEO_SSL_LINKS_INTO'];
  beforeEach(() => void (process.env['VIDEO_SSL_LINKS_INTO'] = at('elsewhere')));
  after(() => {
    if (allowedBefore === undefined) delete process.env['VIDEO_SSL_LINKS_INTO'];
    else process.env['VIDEO_SSL_LINKS_INTO'] = allowedBefore;
  });
  before(async () => {
    await mkdir(at('tree', 'b'), { recursive: true });
    await mkdir(at('tree', '.hidden'));
    await mkdir(at('elsewhere'));
    await mkdir(at('none'));
    for (const name of [
      'tree/z.MP4',
      'tree/a.webm',
      'tree/b/c.mkv',
      'tree/notes.txt',
      'tree/.d.mp4',
      'tree/.hidden/e.mp4',
      'elsewhere/f.avi',
    ])
      await writeFile(at(name), 'x');
    await symlink(at('tree'), at('tree', 'b', 'circle'));
    await symlink(at('elsewhere'), at('tree', 'linked'));
    await symlink(at('tree', 'a.webm'), at('tree', 'same.webm'));
    await symlink(at('nowhere'), at('tree', 'broken.mp4'));
  });

  it('walks a folder in order of names, through links but not in circles, each file once, and keeps what only looks like one', async () => {
    const found = await findVideos(at('tree'));
    assert.deepEqual(
      found.map(({ label }) => label),
      ['a.webm', 'b/c.mkv', 'broken.mp4', 'linked/f.avi', 'z.MP4'],
    );
    assert.deepEqual(found[1], { path: at('tree', 'b', 'c.mkv'), label: 'b/c.mkv' });
  });

  it('follows no link out of the folder but into what the user allows', async () => {
    delete process.env['VIDEO_SSL_LINKS_INTO'];
    await assert.rejects(findVideos(at('tree')), { name: 'UsageError', message: /linked to stay in .*elsewhere/ });
  });

  it('reads a list relative to itself, with comments, in its order, whatever it names', async () => {
    await writeFile(at('tree', 'list.txt'), '\ufeff# mine\r\nz.MP4\r\n\r\n  b/c.mkv \n../missing.bin\nz.MP4\n');
    const found = await findVideos(at('tree', 'list.txt'));
    assert.deepEqual(found, [
      { path: at('tree', 'z.MP4'), label: 'z.MP4' },
      { path: at('tree', 'b', 'c.mkv'), label: 'b/c.mkv' },
      { path: at('missing.bin'), label: '../missing.bin' },
    ]);
  });

  it('reads addresses in a list, each once, under a label without user, password and query', async () => {
    const lines = ['z.MP4', 'https://user:pass@Host.example/a%20b.mp4?token=secret#t=3', 'rtsp://host/cam', 'http://['];
    await writeFile(
      at('tree', 'web.txt'),
      [...lines, 'https://user:pass@host.example/a%20b.mp4?token=secret'].join('\n'),
    );
    const found = await findVideos(at('tree', 'web.txt'));
    assert.deepEqual(
      found.map((entry) => ('path' in entry ? entry.path : entry.address)),
      [at('tree', 'z.MP4'), 'https://user:pass@host.example/a%20b.mp4?token=secret', 'rtsp://host/cam', 'http://['],
    );
    const labels = found.map(({ label }) => label);
    assert.match(labels[1]!, /^https:\/\/host\.example\/a%20b\.mp4\?…[0-9a-f]{6}$/);
    assert.deepEqual([labels[0], ...labels.slice(2)], ['z.MP4', 'rtsp://host/cam', 'http://[']);
    const other = shownAddress(new URL('https://host.example/a%20b.mp4?token=other'));
    assert.notEqual(other, labels[1], 'two addresses that differ in their query can be told apart');
    assert.equal(parseAddress('http://user:pass@[/x?token=secret').label, 'http://[/x');
  });

  it('tells a list from a folder', async () => {
    await mkdir(at('folder.txt'));
    assert.deepEqual([at('tree', 'list.txt'), at('tree'), at('folder.txt'), at('nowhere.txt')].map(isVideoList), [
      ...[true, false, false, false],
    ]);
  });

  it('has files and folders whose names are no UTF-8 told as that, and not as missing', async function () {
    if (process.platform !== 'linux') return this.skip();
    const odd = (end: string): Buffer =>
      Buffer.concat([Buffer.from(`${at('odd')}/`), Buffer.from([0xff]), Buffer.from(end)]);
    await mkdir(at('odd'));
    await writeFile(odd('.mp4'), 'bytes');
    await mkdir(odd(''));
    const found = await findVideos(at('odd'));
    assert.deepEqual(
      found.map(({ label }) => label),
      ['\ufffd', '\ufffd.mp4'],
    );
    for (const video of found)
      await assert.rejects(probeVideo((video as { path: string }).path), /its name, .* is no UTF-8, .*: rename it/);
  });

  it('says what is wrong with anything else', async () => {
    await writeFile(at('blank.txt'), '# nothing\n');
    await writeFile(at('utf16.txt'), Buffer.from('\ufeffz.MP4\n', 'utf16le'));
    await writeFile(at('latin1.txt'), Buffer.from('\xe9.mp4\n', 'latin1'));
    const wrong: [string, RegExp][] = [
      [at('utf16.txt'), /the list is not UTF-8 text/],
      [at('latin1.txt'), /the list is not UTF-8 text/],
      [at('nowhere'), /there is no such file or folder/],
      [at('none'), /no file in it ends like a video/],
      [at('blank.txt'), /names no file/],
      [at('tree', 'z.MP4'), /it is neither; name its folder/],
    ];
    for (const [source, message] of wrong)
      await assert.rejects(findVideos(source), (error) => error instanceof UsageError && message.test(error.message));
  });
});
