import type { Json } from '../../pipeline/json.js';
import type { Result } from '../../pipeline/result.js';
import { flattenJson } from '../flatten-json.js';
import { groupBy } from '../../numeric/group-by.js';
import { notComparable, paperNumbersFor } from '../paper-numbers.js';
import { describeColumn, isHash, isSeedless } from '../transfer-table.js';
import type { ReportStage } from '../write-report.js';
import type { DataSource } from './data-source.js';
import { hashCell, html, type Content, type Html } from './html.js';
import { plainTable } from './table.js';

/** The papers' own numbers for the tasks and methods that the run has too, set apart: they were not measured here. */
export const paperPart = (results: readonly Result[]): Content[] => {
  const numbers = paperNumbersFor(results);
  if (numbers.length === 0) return [];
  return [
    html`<div class="paper-own">
      <p>Not measured here, but published; where they are not from the authors, the source says so. ${notComparable}</p>
      ${plainTable(
        'Published numbers',
        [
          { head: 'task' },
          { head: 'what', wrap: true },
          { head: 'metric' },
          { head: 'value', align: 'right' },
          { head: 'from', wrap: true },
        ],
        numbers.map(({ task, what, metric, value, source }) => [task, what, metric, value, source]),
      )}
    </div>`,
  ];
};

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

/**
 * Each command once, below it a table a data set with every value in full, and at the end the weights that each row and seed was
 * measured with: a line a result, since a whole run has hundreds.
 */
export const commandPart = (results: readonly Result[]): Content[] => {
  if (results.length === 0) return [];
  return [
    html`<p>
      Values in full, as <code>report.json</code> holds them, in the order of the seeds. Each was read from the target
      data in its table’s head with the weights of its row at the end of this section.
    </p>`,
    ...[...groupBy(results, ({ command }) => command)].flatMap(([command, own]) => [
      html`<pre><code>${command}</code></pre>`,
      ...[...groupBy(own, ({ dataset, data }) => JSON.stringify([dataset, data])).values()].map(valuesTable),
    ]),
    weightsTable(results),
  ];
};

const valuesTable = (results: readonly Result[]): Html =>
  plainTable(
    `${results[0]!.dataset}, target data sha256 ${results[0]!.data.slice(0, 12)}`,
    [{ head: 'what' }, { head: 'row' }, { head: 'seeds' }, { head: 'values' }, { head: 'time', align: 'right' }],
    results.map((result) => [
      describeColumn(result),
      result.method,
      isSeedless(result.method, result.protocol) ? '-' : result.seeds.join(', '),
      result.values.join(' · '),
      `${result.seconds.toFixed(1)} s`,
    ]),
  );

/** Whichever weights stand behind a row and seed: most often one hash, more where protocols were run on different ones. */
const weightsTable = (results: readonly Result[]): Html | undefined => {
  const used = results
    .flatMap(({ method, protocol, seeds, weights }) =>
      weights.map((hash, k) => ({ method, seed: isSeedless(method, protocol) ? '-' : seeds[k], hash })),
    )
    // Hand-made features have a name in its place, and so has what is trained on each target anew.
    .filter(({ hash }) => isHash(hash));
  const rows = [...new Map(used.map((entry) => [JSON.stringify(entry), entry])).values()];
  if (rows.length === 0) return undefined;
  return plainTable(
    'Weights behind the values, sha256',
    [{ head: 'row' }, { head: 'seed', align: 'right' }, { head: 'weights' }],
    rows.map(({ method, seed, hash }) => [method, seed, html`<code>${hash}</code>`]),
  );
};

/** An object of settings or facts, nested keys joined by dots; hashes are shown whole, since they are what this is for. */
export const factTable = (caption: string, head: string, facts: Json): Content[] => {
  const rows = flattenJson(facts).filter(([name]) => name !== '');
  if (rows.length === 0) return [];
  return [
    plainTable(
      caption,
      [{ head }, { head: 'value', wrap: true }],
      rows.map(([name, value]) => [name, /^[0-9a-f]{64}$/.test(value) ? html`<code>${value}</code>` : value]),
    ),
  ];
};
