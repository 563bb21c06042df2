import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findDataNote } from '../../../src/report/page/data-source.js';
import { escapeHtml, html, sentence } from '../../../src/report/page/html.js';

describe('where data came from', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'data-'));
    await mkdir(path.join(dir, 'images', 'objects', 'train'), { recursive: true });
    await mkdir(path.join(dir, 'clips'));
    await mkdir(path.join(dir, 'noted'));
    await mkdir(path.join(dir, 'silent'));
    await writeFile(
      path.join(dir, 'MANIFEST.tsv'),
      [
        'path\titems\tsource_repo@commit\tlicence\tnotes',
        'images/objects\t40\tsomebody/objects@abc\tCC BY 4.0\tsplit made here',
        'images/objectsets\t40\tanother/set@abc\tMIT\t',
        'clips/a.mp4\t1\tone/repo:a.mp4\tMIT\t',
        'clips/b.mp4\t1\tone/repo:b.mp4\tMIT\t',
        'clips/c.mp4\t1\ttwo/repo:c.mp4\tunknown\t',
      ].join('\n'),
    );
    await writeFile(path.join(dir, 'noted', 'SOURCE.txt'), 'Filmed by us,\n  2026.\n');
  });
  after(() => rm(dir, { recursive: true }));

  it('is read from the row of a manifest above, for the folder itself', async () => {
    assert.deepEqual(await findDataNote(path.join(dir, 'images', 'objects')), {
      origin: 'somebody/objects@abc',
      terms: 'CC BY 4.0',
      note: 'split made here',
      statedIn: 'MANIFEST.tsv',
    });
  });

  it('is counted over the files of a folder', async () => {
    assert.deepEqual(await findDataNote(path.join(dir, 'clips')), {
      origin: 'one/repo (2), two/repo (1)',
      terms: 'MIT (2), unknown (1)',
      statedIn: 'MANIFEST.tsv',
    });
  });

  it('is the beginning of a note inside the folder, or nothing: nobody guesses', async () => {
    assert.deepEqual(await findDataNote(path.join(dir, 'noted')), {
      note: 'Filmed by us, 2026.',
      statedIn: 'SOURCE.txt',
    });
    assert.deepEqual(await findDataNote(path.join(dir, 'silent')), {});
    assert.deepEqual(await findDataNote(path.join(dir, 'not there')), {});
  });
});

describe('markup', () => {
  it('escapes what is put in, in elements and attributes, and leaves markup as it is', () => {
    const name = `<b title="x">'&`;
    assert.equal(
      html`<i title="${name}">${[name, html`<br />`]}</i>`.text,
      `<i title="${escapeHtml(name)}">${escapeHtml(name)}<br /></i>`,
    );
    assert.equal(escapeHtml(name), '&lt;b title=&quot;x&quot;&gt;&#39;&amp;');
    assert.equal(html`a${undefined}${false}${0}`.text, 'a0');
    assert.equal(escapeHtml('a\u202eb\nc'), 'a b c');
    assert.equal(sentence('of `<a>` <b>').text, 'of <code>&lt;a&gt;</code> &lt;b&gt;');
  });
});
