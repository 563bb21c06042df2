import assert from 'node:assert/strict';
import type { Figure } from '../../src/pipeline/figure.js';
import { drawChart, namesOfKind, onWhite } from '../../src/report/draw-chart.js';

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

  it('draws a uniform value that changes as a dashed curve, named by its last value', async () => {
    const figure = loss(['local-aggregation']);
    const points = [[2, 8.5], [3, 8.5], [4, 5.25]]; // prettier-ignore
    const svg = await drawChart({
      ...figure,
      data: { ...(figure.data as object), lines: [{ name: 'uniform', points }] },
    });
    const [path] = [...svg.matchAll(/<path[^>]*stroke-dasharray="5,4"[^>]*>/g)].map(([mark]) => mark);
    const places = [...path!.matchAll(/[ML]([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
    assert.equal(places.length, 3);
    const [first, second, last] = places;
    assert.ok(first![1] === second![1] && last![1] > second![1] + 20, 'level, then lower on the page');
    assert.ok(first![0] < second![0] && second![0] < last![0]);
    const shown = texts(svg);
    assert.ok(shown.includes('uniform 5.25') && !shown.includes('uniform'));
  });

  const widthOf = async (names: readonly string[]): Promise<number> =>
    Number(/ width="(\d+)"/.exec(await drawChart(loss(names)))![1]);

  it('has room for its legend', async () => {
    assert.ok((await widthOf(['a-name-of-20-letters'])) > (await widthOf(['self'])) + 50);
  });

  it('has long names below its curves, which they leave their room', async () => {
    const names = [1000, 2000, 10000].map((count) => `jigsaw, ${count} pictures, small, 100 permutations`);
    assert.ok((await widthOf(names)) <= onWhite.width + 80, `${await widthOf(names)} px`);
    const halves = names.map((name) => name.slice(0, 28));
    const svg = await drawChart(loss(halves));
    const legend = svg.slice(svg.indexOf('role-legend-entry'));
    // Two columns: three entries begin at two places.
    const places = [
      ...legend.matchAll(/<g transform="translate\((\d+),(\d+)\)"><path class="background"[^>]*opacity="1"/g),
    ];
    assert.equal(places.length, 3);
    assert.equal(new Set(places.map(([, left]) => left)).size, 2);
    assert.equal(new Set(places.map(([, , top]) => top)).size, 2);
  });

  it('gives its curves colours of their own, though their places among all names would share one', async () => {
    const all = Array.from({ length: onWhite.series.length + 1 }, (_, k) => `method-${k}`);
    const [first, last] = colours(await drawChart(loss([all[0]!, all.at(-1)!]), all));
    assert.notEqual(first, last);
  });

  const marks = (svg: string): string[] => [...svg.matchAll(/aria-label="([^"]*)"[^>]*aria-roledescription="circle"/g)].map((match) => match[1]!); // prettier-ignore

  it('marks the points of curves of few, so that a single one is seen, and of no others', async () => {
    const points = (count: number) => Array.from({ length: count }, (_, k) => [k, k]);
    const series = [1, 12, 13].map((count) => ({ name: `${count} points`, points: points(count) }));
    const data = { x: 'pictures', y: 'top1', series };
    const found = marks(await drawChart({ kind: 'scaling', title: '', caption: '', data, sha256: '' }));
    const count = (name: string): number => found.filter((label) => label.endsWith(`name: ${name}`)).length;
    assert.deepEqual(['1 points', '12 points', '13 points'].map(count), [1, 12, 0]);
  });

  it('marks whole steps once each', async () => {
    const shown = texts(await drawChart(loss(['triplet'])));
    for (const step of ['2', '3', '4']) assert.equal(shown.filter((text) => text === step).length, 1, step);
  });

  it('lets the place of a curve that does not move be read off its axis', async () => {
    const figure = loss(['triplet']);
    const series = [{ name: 'triplet', points: [[0, 7.69], [6, 7.69]] }]; // prettier-ignore
    const svg = await drawChart({ ...figure, data: { x: 'step', y: 'accuracy', series } });
    const ticks = texts(svg).map(Number);
    for (const tick of [7.6, 7.8]) assert.ok(ticks.includes(tick), ticks.join(' '));
  });

  it('gives a method the same colour beside other methods', async () => {
    const names = ['triplet', 'npid', 'self'];
    const all = colours(await drawChart(loss(names), names));
    const some = colours(await drawChart(loss(['self', 'triplet']), names));
    assert.equal(new Set(all).size, 3);
    assert.deepEqual(new Set(some), new Set([all[0], all[2]]));
  });

  it('agrees on colours with charts of its kind alone', () => {
    const figures = [{ figure: loss(['a', 'b']) }, { figure: { ...loss(['c']), kind: 'scaling' as const } }, { figure: loss(['b', 'd']) }]; // prettier-ignore
    assert.deepEqual(namesOfKind('curves', figures), ['a', 'b', 'd']);
    assert.deepEqual(namesOfKind('scaling', figures), ['c']);
    assert.deepEqual(namesOfKind('bars', figures), []);
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
