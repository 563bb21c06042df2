import path from 'node:path';
import { stat } from 'node:fs/promises';
import { findVideos } from '../../src/video/find-videos.js';
import { OUTSIDE, type FuzzedReader } from '../fuzzing/fuzzed-reader.js';

const lists: FuzzedReader = {
  name: 'lists of videos',
  samples: async () => [
    { name: 'list', files: { 'list.txt': '# mine\na.mp4\nhttps://host/b.mp4?t=1\n/data/c.mp4\nd/e.mkv\n' } },
  ],
  dictionary: ['../', 'file:///etc/passwd', 'concat:a|b', 'http://', 'https://user:pass@host/', 'http://[', '\0', '\r', '\x1b[2J', '%00', '-i', '|cat', '$(id)', '\xef\xbb\xbf', '\xe2\x80\xae', '\\\\host\\x', 'subfile,,start,0,end,0,,:x'], // prettier-ignore
  handMade: async () => [
    { name: 'one line of 50 MB', files: { 'list.txt': 'a'.repeat(50_000_000) }, expected: 'read' },
    {
      name: 'an address of 50 MB',
      files: { 'list.txt': `http://host/${'a'.repeat(50_000_000)}` },
      expected: 'either',
      slow: true,
    },
    {
      name: 'two hundred thousand lines',
      files: { 'list.txt': Array.from({ length: 200_000 }, (_, i) => `v/${i}.mp4`).join('\n') },
      expected: 'read',
    },
    { name: 'blank lines alone', files: { 'list.txt': '\n'.repeat(5_000_000) } },
    { name: 'UTF-16', files: { 'list.txt': Buffer.from('\ufeffa.mp4\n', 'utf16le') } },
    { name: 'zeros', files: { 'list.txt': Buffer.alloc(1000) } },
    { name: 'a hole of 3 GB', holes: { 'list.txt': 3e9 } },
    { name: 'a pipe', pipes: ['list.txt'] },
    { name: 'a device', links: { 'list.txt': '/dev/zero' } },
    { name: 'nothing', files: { 'list.txt': '' } },
  ],
  read: async (folder) => {
    const found = await findVideos(path.join(folder, 'list.txt'));
    for (const one of found.slice(0, 50)) if ('path' in one) await stat(one.path).catch(() => undefined);
  },
  megabytes: 600,
};

const folders: FuzzedReader = {
  name: 'folders of videos',
  samples: async () => [{ name: 'folder', files: { 'v/a.mp4': 'x', 'v/b/c.mkv': 'y' } }],
  dictionary: [],
  handMade: async () => [
    { name: 'a video is a link out', links: { 'v/x.mp4': `${OUTSIDE}/v/a.mp4` } },
    { name: 'a video is a link to the system', links: { 'v/x.mp4': '/etc/passwd' } },
    { name: 'a folder is a link out', links: { 'v/x': `${OUTSIDE}/v` } },
    { name: 'a folder is a link to everything', links: { 'v/x': '/' } },
    { name: 'a link to another inside', links: { 'v/x': 'b' }, expected: 'read' },
    { name: 'a circle', links: { 'v/x': '.', 'v/b/y': '..' }, expected: 'read' },
    {
      name: 'links to nothing, to itself, to a device',
      links: { 'v/x.mp4': 'gone', 'v/y.mp4': 'y.mp4', 'v/z.mp4': '/dev/zero' },
      expected: 'read',
    },
    { name: 'a pipe', pipes: ['v/p.mp4'], expected: 'read' },
    {
      name: 'folders that all lead to all others',
      slow: true,
      links: Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => Array.from({ length: 12 }, (_, j) => [`v/${i}/x${j}`, `../${j}`])).flat(),
      ),
    },
  ],
  read: async (folder) => {
    await findVideos(path.join(folder, 'v'));
  },
};

/** The readers of this room that take what strangers made, beside the videos themselves (see `mutations.ts`). */
export const readers: readonly FuzzedReader[] = [lists, folders];
