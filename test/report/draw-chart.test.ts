import assert from 'node:assert/strict';
import type { Figure } from '../../src/pipeline/figure.js';
import { drawChart } from '../../src/report/draw-chart.js';

const loss = (names: readonly string[]): Figure => ({
  kind: 'curves',
  title: 'Loss',
  caption: 'The ranking loss beside the margin.',
  data: {
    x: 'step',
    y: 'loss',
    series: names.map((name, k) => ({ name, points: [[2, 0.5 + k], [4, 0.2 + k]] })),
    lines: [{ name: 'uniform', y: 0.5 }],
  },
  sha256: '',
}); // prettier-ignore

const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((match) => match[1]!);
const colours = (svg: string): string[] =>
  [...svg.matchAll(/aria-roledescription="line mark"[^>]*stroke="([^"]*)"/g)].map((match) => match[1]!);

describe('a chart', () => {
  it('names its axes, its curves and, where it lies, the uniform value', async () => {
    const svg = await drawChart(loss(['triplet', 'a-control-with-a-name-that-is-rather-long']));
    assert.match(svg, /^<svg/);
    assert.match(svg, /stroke-dasharray="5,4"/);
    const shown = texts(svg);
    for (const text of ['step', 'loss', 'triplet', 'a-control-with-a-name-that-is-rather-long', 'uniform 0.5']) {
      assert.ok(shown.includes(text), `${text} is not among ${shown.join(' | ')}`);
    }
    // The line is no curve: the legend does not list it.
    assert.ok(!shown.includes('uniform'));
  });

  it('has room for its legend', async () => {
    const width = async (name: string): Promise<number> =>
      Number(/ width="(\d+)"/.exec(await drawChart(loss([name])))![1]);
    assert.ok((await width('a-control-with-a-name-that-is-rather-long')) > (await width('self')) + 100);
  });

  it('marks whole steps once each', async () => {
    const shown = texts(await drawChart(loss(['triplet'])));
    for (const step of ['2', '3', '4']) assert.equal(shown.filter((text) => text === step).length, 1, step);
  });

  it('gives a method the same colour beside other methods', async () => {
    const names = ['triplet', 'npid', 'self'];
    const all = colours(await drawChart(loss(names), names));
    const some = colours(await drawChart(loss(['self', 'triplet']), names));
    assert.equal(new Set(all).size, 3);
    assert.deepEqual(new Set(some), new Set([all[0], all[2]]));
  });

  it('writes bars with their whole names and values', async () => {
    const name = 'track: forward-backward and more';
    const svg = await drawChart({
      kind: 'bars',
      title: 'Bars',
      caption: '',
      data: { bars: [{ name, value: 38 }, { name: 'none', value: 0 }] },
      sha256: '',
    }); // prettier-ignore
    assert.ok(texts(svg).includes(name));
    assert.ok(texts(svg).includes('38'));
    assert.ok(texts(svg).includes('count'));
  });

  it('refuses data of another shape', async () => {
    await assert.rejects(drawChart({ kind: 'curves', title: '', caption: '', data: { x: 'step' }, sha256: '' }));
  });
});
