import assert from 'node:assert/strict';
import { rowLabels } from '../../../src/report/page/row-labels.js';

describe('the labels of rows', () => {
  it('are the names as they are where these are short', () => {
    assert.deepEqual(rowLabels(['triplet', 'a name of few words']), [['triplet'], ['a name of few words']]);
  });

  it('break between words into lines of at most 22 letters, and lose nothing', () => {
    const names = [1000, 10000].map((count) => `jigsaw, ${count} pictures, small, 100 permutations`);
    const labels = rowLabels(names);
    assert.deepEqual(labels[0], ['jigsaw, 1000 pictures,', 'small, 100', 'permutations']);
    assert.deepEqual(labels.map((lines) => lines.join(' ')), names); // prettier-ignore
    assert.deepEqual(rowLabels(['simclr-tracks-plain-ensemble'])[0], ['simclr-tracks-plain-', 'ensemble']);
  });

  it('break a word that is longer than a line', () => {
    assert.deepEqual(rowLabels(['x'.repeat(50)])[0], ['x'.repeat(22), 'x'.repeat(22), 'xxxxxx']);
  });

  it('lose the middle of what is too long for three lines, but not what tells rows apart', () => {
    const long = `imported-${'a'.repeat(60)}-end`;
    const [label] = rowLabels([long, 'npid']);
    const text = label!.join('');
    assert.match(text, /^imported-a+…a+-end$/);
    assert.ok(text.length <= 66 && label!.every(({ length }) => length <= 22));
    const twins = ['1', '2'].map((part) => `imported-${'a'.repeat(40)}${part}${'a'.repeat(40)}-end`);
    assert.deepEqual(rowLabels(twins).map((lines) => lines.join('')), twins); // prettier-ignore
  });
});
