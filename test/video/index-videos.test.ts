import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { IndexParams } from '../../pipelines/video-ssl/params.js';
import { indexStage } from '../../pipelines/video-ssl/stages/index-videos.js';
import work from '../../pipelines/video-ssl/stages/index-videos.work.js';
import type { Item, ItemsContext, WorkContext } from '../../src/pipeline/stage.js';
import { useFolder } from './fixtures.js';

describe('Listing videos', () => {
  const folder = useFolder();

  it('reads regular files only, and rejects pipes, devices and links that lead nowhere', async function () {
    if (process.platform === 'win32') this.skip();
    const at = (name: string): string => path.join(folder.path, name);
    await writeFile(at('a.mp4'), 'x');
    execFileSync('mkfifo', [at('pipe.mp4')]);
    await symlink('/dev/zero', at('zero.mp4'));
    await symlink(at('nowhere'), at('dangling.mp4'));
    await writeFile(at('list.txt'), 'a.mp4\n/dev/zero\npipe.mp4\n');
    const hashed: string[] = [];
    const hashFile = (file: string): Promise<string> => (hashed.push(path.basename(file)), Promise.resolve('aa'));
    const list = async (source: string): Promise<readonly Item[]> =>
      indexStage({ kind: 'path', path: source, list: false }).items!({
        hashFile,
        log: () => undefined,
      } as unknown as ItemsContext<unknown>);
    const listed = await list(at('list.txt'));
    assert.deepEqual(
      listed.map(({ label }) => label),
      ['a.mp4', '/dev/zero', 'pipe.mp4'],
    );
    const found = await list(folder.path);
    assert.deepEqual(hashed, ['a.mp4', 'a.mp4']);
    const verdicts: Record<string, string> = {};
    for (const item of [...listed, ...found]) {
      const context = {
        params: { maxSeconds: 60, everySeconds: 0.25 },
        signal: new AbortController().signal,
        log: () => undefined,
      };
      const result = await work(item, context as unknown as WorkContext<IndexParams>);
      assert.equal(result.status, 'rejected');
      verdicts[item.label] = result.status === 'rejected' ? result.reason : '';
    }
    assert.deepEqual(verdicts, {
      'a.mp4': 'not a video but a text file',
      '/dev/zero': 'not a file',
      'pipe.mp4': 'not a file',
      'zero.mp4': 'not a file',
      'dangling.mp4': 'not a file but a link that leads nowhere',
    });
  });
});
