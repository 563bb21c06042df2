import type { Json } from '../../pipeline/json.js';
import type { Result } from '../../pipeline/result.js';
import { groupBy } from '../group-by.js';
import { notComparable, paperNumbers } from '../paper-numbers.js';
import { describeColumn, isSeedless } from '../transfer-table.js';
import type { ReportStage } from '../write-report.js';
import type { DataSource } from './data-source.js';
import { hashCell, html, type Content, type Html } from './html.js';
import { plainTable } from './table.js';

/** The paper's own numbers, set apart: they were not measured here. */
export const paperPart = (): Content[] => [
  html`<div class="paper-own">
    <p>Not measured here, but said by the authors of their own networks. ${notComparable}</p>
    ${plainTable(
      'Wang & Gupta, ICCV 2015, in their own words',
      [
        { head: 'task' },
        { head: 'what', wrap: true },
        { head: 'metric' },
        { head: 'value', align: 'right' },
        { head: 'from', wrap: true },
      ],
      paperNumbers.map(({ task, what, metric, value, source }) => [task, what, metric, value, source]),
    )}
  </div>`,
];

/** Where the data came from and under which terms, as far as a manifest or a note says. */
export const sourceTable = (sources: readonly DataSource[]): Content[] =>
  sources.length === 0
    ? []
    : [
        plainTable(
          'Data, where they came from and under which terms, as far as a manifest or note beside them says',
          [
            { head: 'data' },
            { head: 'role' },
            { head: 'origin', wrap: true },
            { head: 'terms', wrap: true },
            { head: 'note', wrap: true },
            { head: 'sha256' },
          ],
          sources.map(({ name, role, origin, terms, note, statedIn, digest }) => [
            name,
            role,
            origin ?? 'not stated',
            terms ?? 'not stated',
            [note ?? '', statedIn !== undefined && `${note ? ' ' : ''}(from ${statedIn})`],
            digest === undefined ? '-' : hashCell(digest),
          ]),
        ),
      ];

/** How long each stage took, with the share of the whole as a bar, and what became of its items. */
export const stageTable = (stages: readonly ReportStage[]): Content[] => {
  if (stages.length === 0) return [];
  const most = Math.max(...stages.map(({ seconds }) => seconds));
  const total = stages.reduce((sum, { seconds }) => sum + seconds, 0);
  return [
    html`<div class="bars">
      ${plainTable(
        `Stages: ${formatSeconds(total)} in all`,
        [
          { head: 'stage' },
          { head: 'key' },
          ...(['done', 'rejected', 'failed', 'time'] as const).map((head) => ({ head, align: 'right' as const })),
          { head: '' },
        ],
        stages.map(({ name, key, seconds, items: { done, rejected, failed } }) => [
          name,
          hashCell(key),
          // A stage without items did its work in one piece.
          ...[done, rejected, failed].map((count) => (done + rejected + failed > 0 ? String(count) : '-')),
          formatSeconds(seconds),
          html`<span
            class="bar"
            aria-hidden="true"
            style="width:${((100 * seconds) / (most || 1)).toFixed(2)}%"
          ></span>`,
        ]),
      )}
    </div>`,
  ];
};

/** `4.2 s`, `12 min 05 s`, `1 h 03 min`. */
export const formatSeconds = (seconds: number): string => {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
};

/** Items that were refused or failed, by reason, with their names. */
export const problemTable = (stages: readonly ReportStage[]): Content[] => {
  const problems = stages.flatMap(({ name, problems: own = [] }) =>
    own.map((problem) => ({ stage: name, ...problem })),
  );
  if (problems.length === 0) return [html`<p>None.</p>`];
  return [
    plainTable(
      'Items that were refused or that failed',
      [{ head: 'item', wrap: true }, { head: 'stage' }, { head: 'status' }, { head: 'reason', wrap: true }],
      problems.map(({ stage, label, status, reason }) => [label, stage, status, reason]),
    ),
  ];
};

/** Each command once, below it its results: every value in full, with the hashes of what it was measured with. */
export const commandPart = (results: readonly Result[]): Content[] => [
  results.length > 0 &&
    html`<p>
      Values in full, as <code>report.json</code> holds them, in the order of the seeds; the first 12 digits of the
      sha256 of weights and target data (all of them in <code>report.json</code> and when pointed at).
    </p>`,
  ...[...groupBy(results, ({ command }) => command)].flatMap(([command, own]) => [
    html`<pre><code>${command}</code></pre>`,
    plainTable(
      'Results of this command',
      [
        { head: 'data set' },
        { head: 'what' },
        { head: 'row' },
        { head: 'value, by seed', align: 'right' },
        { head: 'weights' },
        { head: 'data' },
        { head: 'time', align: 'right' },
      ],
      own.map(sourceRow),
    ),
  ]),
];

const lines = (entries: readonly Content[]): Html =>
  html`${entries.map((entry, k) => html`${k > 0 && html`<br />`}${entry}`)}`;

const sourceRow = (result: Result): Content[] => {
  const seedless = isSeedless(result.method);
  return [
    result.dataset,
    describeColumn(result),
    result.method,
    lines(result.values.map((value, k) => (seedless ? String(value) : `${result.seeds[k]}: ${value}`))),
    seedless || result.weights.length === 0 ? '-' : lines(result.weights.map(hashCell)),
    hashCell(result.data),
    `${result.seconds.toFixed(1)} s`,
  ];
};

/** `{ a: { b: 1 } }` as rows `a.b`, `1`. */
const flatten = (value: Json, prefix: string): [string, string][] => {
  if (value === null || typeof value !== 'object')
    return [[prefix, typeof value === 'string' ? value : JSON.stringify(value)]];
  if (Array.isArray(value) && value.every((entry) => entry === null || typeof entry !== 'object')) {
    return [[prefix, value.join(', ')]];
  }
  const rows = Object.entries(value).flatMap(([key, entry]) =>
    flatten(entry as Json, prefix === '' ? key : `${prefix}.${key}`),
  );
  return rows.length > 0 ? rows : [[prefix, 'none']];
};

/** An object of settings or facts, nested keys joined by dots; hashes are shown whole, since they are what this is for. */
export const factTable = (caption: string, head: string, facts: Json): Content[] => {
  const rows = flatten(facts, '').filter(([name]) => name !== '');
  if (rows.length === 0) return [];
  return [
    plainTable(
      caption,
      [{ head }, { head: 'value', wrap: true }],
      rows.map(([name, value]) => [name, /^[0-9a-f]{64}$/.test(value) ? html`<code>${value}</code>` : value]),
    ),
  ];
};
