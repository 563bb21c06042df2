import assert from 'node:assert/strict';
import type { Result } from '../../../src/pipeline/result.js';
import { intervalChart, mainColumns } from '../../../src/report/page/interval-chart.js';
import { splitColumns } from '../../../src/report/split-columns.js';
import { verdictBox } from '../../../src/report/page/verdict-box.js';
import { describeVerdict, judgeRun, mainVerdict, verdictsOf } from '../../../src/report/page/verdict.js';
import { arrangeResults } from '../../../src/report/transfer-table.js';
import { makeResult } from '../make-result.js';

/** A value a row for every column, three seeds close to it. */
const column = (protocol: string, rows: Readonly<Record<string, number>>, change: Partial<Result> = {}): Result[] =>
  Object.entries(rows).map(([method, value]) =>
    makeResult(method, [value - 0.1, value, value + 0.1], { protocol, ...change }),
  );

const verdictOf = (results: readonly Result[]) => describeVerdict(mainVerdict(verdictsOf(arrangeResults(results)))!);

describe('the verdict', () => {
  it('is yes where every control is beaten in half of the columns and none of them wins one', () => {
    const results = [
      ...column('knn/a', { triplet: 50, random: 40, shuffled: 30 }),
      ...column('knn/b', { triplet: 50, random: 50, shuffled: 30 }),
    ];
    assert.equal(verdictOf(results), 'Yes. `triplet` stands above `random` and `shuffled`.');
  });

  it('is in part where a control wins a column, or cannot be told apart', () => {
    const results = [
      ...column('knn/a', { triplet: 50, random: 40, shuffled: 30, self: 50 }),
      ...column('knn/b', { triplet: 50, random: 60, shuffled: 30, self: 50 }),
      ...column('knn/c', { triplet: 50, random: 40, shuffled: 30, self: 50 }),
    ];
    assert.equal(
      verdictOf(results),
      'In part. `triplet` stands above `shuffled`; it stands partly above `random` (2 of 3); it cannot be told from `self`.',
    );
  });

  it('is no where nothing is beaten, and knows where less is better', () => {
    const results = column('ridge', { triplet: 30, random: 25 }, { metric: 'mean', higherIsBetter: false });
    assert.equal(verdictOf(results), 'No. `triplet` stands below `random`.');
  });

  it('calls level only what does not differ, and below what loses half of the columns and wins none', () => {
    const results = [
      ...column('knn/a', { triplet: 50, random: 40, shuffled: 60, self: 50 }),
      ...column('knn/b', { triplet: 50, random: 60, shuffled: 50, self: 50 }),
      ...column('knn/c', { triplet: 50, random: 50, shuffled: 50, self: 50 }),
    ];
    assert.equal(
      verdictOf(results),
      'No. `triplet` cannot be told from `self`; it wins as many columns as it loses against `random`; it stands partly below `shuffled` (1 of 3).',
    );
  });

  it('goes by the paired test where there is one, whatever the spread', () => {
    const test = { control: 'random', difference: 10, interval: [-1, 21] as const, p: 0.04, adjustedP: 0.08 };
    const [triplet, random] = column('knn/a', { triplet: 50, random: 40 });
    assert.equal(verdictOf([{ ...triplet!, paired: [test] }, random!]), 'No. `triplet` cannot be told from `random`.');
    assert.equal(
      verdictOf([{ ...triplet!, paired: [{ ...test, adjustedP: 0.01 }] }, random!]),
      'Yes. `triplet` stands above `random`.',
    );
  });

  it('is not to be told with one seed', () => {
    assert.match(
      verdictOf([makeResult('triplet', [50]), makeResult('random', [40])]),
      /^Not to be told\. With one seed/,
    );
  });

  it('is about the network that tracks taught, wherever its row stands', () => {
    const results = column('knn/a', { npid: 10, triplet: 50, random: 40 });
    assert.match(verdictOf(results), /^Yes\. `triplet`/);
    assert.equal(mainVerdict(verdictsOf(arrangeResults(column('knn/a', { npid: 1, random: 2 }))))!.method, 'npid');
    assert.equal(mainVerdict(verdictsOf(arrangeResults(column('knn/a', { npid: 1 })))), undefined);
  });
});

describe('the verdict on a run without the video-trained network', () => {
  const judge = (results: readonly Result[]) => judgeRun(verdictsOf(arrangeResults(results)), ['npid', 'byol']);

  it('asks about all methods, and says which of them stand above', () => {
    const results = column('knn/a', { npid: 50, byol: 30, swav: 10, random: 20, shuffled: 40 });
    assert.deepEqual(judge(results), {
      question: 'Do the methods stand above their controls?',
      answer: 'partly',
      text: 'In part. Above all of their controls: `npid`; above some of their controls, or partly above them: `byol`; above none: `swav`.',
    });
  });

  it('is yes where all do, no where none does, and not to be told with one seed', () => {
    const all = judge(column('knn/a', { npid: 50, byol: 60, random: 20 }));
    assert.deepEqual([all.answer, all.text], ['yes', 'Yes. Above all of their controls: `npid` and `byol`.']);
    const none = judge(column('knn/a', { npid: 10, byol: 20, random: 20 }));
    assert.deepEqual([none.answer, none.text], ['no', 'No. Above none: `npid` and `byol`.']);
    const one = judge(['npid', 'byol', 'random'].map((method, k) => makeResult(method, [10 * k])));
    assert.deepEqual(
      [one.answer, one.text],
      [
        'unknown',
        'Not to be told. With one seed the spread is unknown: any lead of a method over its controls may be chance.',
      ],
    );
  });

  it('speaks of one method where there is one, and of the video-trained network only where it was run', () => {
    const one = judge(column('knn/a', { npid: 50, random: 20 }));
    assert.deepEqual([one.question, one.text], ['Does the method stand above its controls?', 'Yes. `npid` stands above `random`.']); // prettier-ignore
    assert.match(judge(column('knn/a', { npid: 50, triplet: 1, random: 20 })).question, /video-trained network/);
    assert.match(judgeRun([], ['triplet']).question, /video-trained network/);
    assert.match(judgeRun([], []).question, /^Do the methods/);
  });
});

describe('the box of the verdict', () => {
  it('has a row a method where there are more methods than controls, and the counts of each', () => {
    const { text } = verdictBox(column('knn/a', { npid: 50, byol: 10, swav: 20, random: 20 }));
    const heads = [...text.matchAll(/<th scope="row"[^>]*>\s*([\w-]+)/g)].map(([, name]) => name);
    assert.deepEqual(heads, ['npid', 'byol', 'swav']);
    assert.match(text, /against random/);
    assert.doesNotMatch(text, /video-trained|by data set/);
  });

  it('counts data set by data set where there are several, and marks no zero as a difference', () => {
    const one = column('knn/a', { triplet: 50, random: 40 });
    assert.doesNotMatch(verdictBox(one).text, /by data set/);
    const { text } = verdictBox([...one, ...column('knn/a', { triplet: 50, random: 50 }, { dataset: 'others' })]);
    const rows = text.split('triplet by data set').at(-1)!;
    const shown = [...rows.matchAll(/<span class="(\w+)"\s*>(\d+) (.)</g)]
      .slice(-6)
      .map(([, ...parts]) => parts.join(' '));
    assert.deepEqual(shown, ['better 1 ▲', 'level 0 ○', 'level 0 ▼', 'level 0 ▲', 'level 1 ○', 'level 0 ▼']);
  });
});

describe('the charts of a table', () => {
  it('are of one size, whatever they are called and whichever rows have a value', async () => {
    const [table] = arrangeResults([
      ...column('a', { triplet: 50, random: 40, hog: 30 }),
      ...column('a protocol with quite a long name, k = 16', { triplet: 50, random: 40 }),
    ]);
    const sizes: (string | undefined)[] = [];
    for (const k of [0, 1]) sizes.push(/<svg[^>]*viewBox="([^"]*)"/.exec((await intervalChart(table!, k)).text)?.[1]);
    assert.ok(sizes[0]);
    assert.equal(sizes[1], sizes[0]);
  });

  it('name rows apart whose names begin alike, also those that hold code', async () => {
    const names = [1000, 10000].map((count) => `jigsaw, ${count} pictures, small, 100 permutations`);
    const [table] = arrangeResults(column('a', { [names[0]!]: 50, [names[1]!]: 40, "constructor'])]\\": 3 }));
    const { text } = await intervalChart(table!, 0);
    const shown = [...text.matchAll(/<tspan[^>]*>([^<]*)</g)].map(([, line]) => line).join(' ');
    for (const name of names) assert.ok(shown.includes(name), shown);
    assert.ok(text.includes("constructor'])]\\"));
  });
});

describe('a wide table', () => {
  const protocols = ['knn/a', 'linear/a', 'svm/a', 'knn/b', 'linear/b', 'svm/b', 'low/1', 'low/2', 'low/3'];
  const [table] = arrangeResults([
    ...protocols.flatMap((protocol) => column(protocol, { triplet: 50, random: 40 })),
    ...column('low/1', { hog: 1 }),
  ]);
  const shown = (most: number): string[][] =>
    splitColumns(table!, most).map(({ columns }) => columns.map(({ protocol }) => protocol));

  it('is split between families of protocols, each of them kept together where it fits', () => {
    assert.deepEqual(shown(9).length, 1);
    assert.deepEqual(shown(4), [
      ['knn/a', 'knn/b', 'linear/a', 'linear/b'],
      ['svm/a', 'svm/b'],
      ['low/1', 'low/2', 'low/3'],
    ]);
    assert.deepEqual(shown(2).slice(3), [['low/1', 'low/2'], ['low/3']]);
  });

  it('keeps each value and winner with its column, and rows only where they have a value', () => {
    for (const part of splitColumns(table!, 2)) {
      for (const [k, { protocol }] of part.columns.entries()) {
        for (const [row, cells] of part.cells.entries()) {
          const cell = cells[k];
          if (cell) assert.deepEqual([cell.protocol, cell.method], [protocol, part.methods[row]]);
        }
        assert.equal(part.methods[part.best[k]!], 'triplet');
      }
      assert.equal(part.methods.includes('hog'), part.columns.some(({ protocol }) => protocol === 'low/1')); // prettier-ignore
    }
  });

  it('is drawn by the deepest layer of each family', () => {
    const drawn = mainColumns(table!).map((k) => table!.columns[k]!.protocol);
    assert.deepEqual(drawn, ['knn/b', 'linear/b', 'svm/b', 'low/3']);
    const [narrow] = arrangeResults(column('knn/a', { triplet: 1, random: 2 }));
    assert.deepEqual(mainColumns(narrow!), [0]);
  });
});
