import type { Result } from '../../pipeline/result.js';
import { compareWithControls, formatSigned, marks, type ColumnLead } from '../comparisons.js';
import { groupBy } from '../../numeric/group-by.js';
import { controlOf } from '../../transfer/statistics/controls.js';
import {
  arrangeResults,
  arrowOf,
  columnHead,
  controls,
  digitsOf,
  formatInterval,
  formatValue,
  isControl,
  seedCounts,
  type TransferTable,
} from '../transfer-table.js';
import { html, sentence, type Content, type Html } from './html.js';
import { intervalChart, intervalKind, intervalText, mainColumns } from './interval-chart.js';
import type { Section } from './section.js';
import { describeMissing, type RejectedRun } from '../rejected-runs.js';
import { splitColumns } from '../split-columns.js';
import { aboutGains, describeGain, gainCells, gainTitle, trackingGains, type TrackingGain } from '../tracking-gain.js';
import { tableCaption } from '../table-caption.js';
import { plainTable, scrollBox } from './table.js';
import { warningBox } from './warning-box.js';

const taskNames: Readonly<Record<string, string>> = {
  classification: 'Classification',
  detection: 'Detection',
  normals: 'Surface normals',
};

/** How tables, marks and charts are to be read; only what occurs is explained. */
const legend = (tables: readonly TransferTable[]): Content => {
  const results = tables.flatMap(({ cells }) => cells.flat().filter((entry) => entry !== undefined));
  const leads = tables.flatMap((table) =>
    compareWithControls(table).flatMap((row) => row.leads.flatMap((one) => one ?? [])),
  );
  const measured = results.some(({ interval }) => interval !== undefined);
  const tested = leads.some(({ p }) => p !== undefined);
  const bare = leads.some(({ p, standing }) => p === undefined && standing !== 'unknown');
  const names = new Set(tables.flatMap(({ methods }) => methods.map(controlOf)));
  const used = Object.keys(controls).filter((name) => names.has(name));
  return html`
    <ul>
      <li>Mean ± sample standard deviation over seeds; ↑ higher is better, ↓ lower is better.</li>
      ${
        measured &&
        html`<li>
          In brackets the 95 % interval of the mean over other test images and other seeds (bootstrap of the images,
          Student’s t for the seeds; with one seed the images alone). Images count as independent draws: where they are
          frames of one room or video it is a lower bound.
        </li>`
      }
      <li>
        Against a control: <span class="better">${marks.better}</span> better by a difference,
        <span class="worse">${marks.worse}</span> worse by a difference, <span class="level">${marks.level}</span> no
        difference shown (which does not say that the two are equal), <span class="unknown">${marks.unknown}</span>
        unknown, with one seed.
        ${
          tested &&
          'A difference is one that a paired test on the same test images finds: p below 0.05 after Holm’s correction over the comparisons of its column; the interval beside a lead is that of the one comparison.'
        }
        ${
          bare &&
          `${tested ? 'Where no test was possible, a' : 'A'} difference is a lead beyond the spread over seeds, the root of the sum of both squared deviations: weak evidence. With three seeds a side, two rows of equal worth are that far apart in this direction in about 8 of 100 comparisons, and the sampling error of the test images is not in it.`
        }
      </li>
      <li>
        <span class="best">Marked</span>: better than every other row of its column by a difference. Where nothing is
        marked, the rows do not separate. Columns of one protocol measure the same predictions and are not independent.
      </li>
      ${
        used.length > 0
          ? html`<li>
              Controls are no methods, but what a method must beat to have meant anything:
              ${used.map((name, k) => html`${k > 0 && '; '}<strong>${name}</strong> (${controls[name]})`)}.
            </li>`
          : html`<li>No control was evaluated: the numbers cannot tell what the training was worth.</li>`
      }
    </ul>
  `;
};

/** Neighbouring columns of one protocol under one head. */
const protocolSpans = ({ columns }: TransferTable): { name: string; from: number; span: number }[] => {
  const spans: { name: string; from: number; span: number }[] = [];
  for (const [k, { protocol }] of columns.entries()) {
    const last = spans.at(-1);
    if (last?.name === protocol) last.span++;
    else spans.push({ name: protocol, from: k, span: 1 });
  }
  return spans;
};

const tableHead = (table: TransferTable, first: string): Html => {
  const spans = protocolSpans(table);
  const begins = new Set(spans.map(({ from }) => from));
  return html`<thead>
    <tr>
      <th scope="col" rowspan="2">${first}</th>
      ${spans.map(({ name, span }) => html`<th scope="colgroup" colspan="${span}" class="first">${name}</th>`)}
    </tr>
    <tr>
      ${table.columns.map(
        (column, k) =>
          html`<th scope="col" class="number ${begins.has(k) && 'first'}">${column.metric} ${arrowOf(column)}</th>`,
      )}
    </tr>
  </thead>`;
};

const valueCell = (table: TransferTable, row: number, column: number, count: boolean, first: boolean): Html => {
  const result = table.cells[row]![column];
  const interval = formatInterval(result);
  const classes = ['number', first ? 'first' : '', table.best[column] === row ? 'best' : ''];
  return html`<td class="${classes.filter(Boolean).join(' ')}">
    ${formatValue(result, count)}${interval !== '' && html` <span class="interval">${interval}</span>`}
  </td>`;
};

const valueTable = (table: TransferTable, caption: string, count: boolean): Html => {
  const begins = new Set(protocolSpans(table).map(({ from }) => from));
  const rows = (wanted: boolean): Html[] =>
    table.methods.flatMap((method, row) =>
      isControl(method) !== wanted
        ? []
        : [
            html`<tr class="${wanted ? 'control' : 'method'}">
              <th scope="row">${method}</th>
              ${table.columns.map((_, k) => valueCell(table, row, k, count, begins.has(k)))}
            </tr>`,
          ],
    );
  const group = (title: string, own: readonly Html[]): Html | undefined =>
    own.length === 0
      ? undefined
      : html`<tbody>
          <tr class="group">
            <th scope="rowgroup" colspan="${table.columns.length + 1}">${title}</th>
          </tr>
          ${own}
        </tbody>`;
  return scrollBox(
    caption,
    html`<table class="values">
      <caption>
        ${caption}
      </caption>
      ${tableHead(table, 'row')} ${group('methods', rows(false))} ${group('controls', rows(true))}
    </table>`,
  );
};

const standingText: Readonly<Record<ColumnLead['standing'], string>> = {
  better: 'a difference for the better',
  worse: 'a difference for the worse',
  level: 'no difference shown',
  unknown: 'unknown',
};

/** With a minus sign as wide as the plus, since a page has one. */
const signed = (value: number, digits: number): string => formatSigned(value, digits).replace('-', '−');

const formatP = (p: number): string => (p < 0.001 ? 'p < 0.001' : `p ${p.toFixed(p < 0.1 ? 3 : 2)}`);

const leadCell = (entry: ColumnLead | undefined, digits: number, first: boolean): Html => {
  if (!entry || !Number.isFinite(entry.by)) return html`<td class="number ${first && 'first'}">-</td>`;
  const { by, standing, interval, p } = entry;
  const ends = interval?.map((end) => signed(end, digits - 1)).join(', ');
  return html`<td class="number ${first && 'first'}">
    ${p !== undefined && html`<span class="p">${formatP(p)}</span>`} ${signed(by, digits)}
    <span class="${standing}"
      ><span aria-hidden="true">${marks[standing]}</span><span class="hidden">${standingText[standing]}</span></span
    >
    ${ends !== undefined && html`<span class="interval">[${ends}]</span>`}
  </td>`;
};

const leadTable = (table: TransferTable, part: string): Html | undefined => {
  const rows = compareWithControls(table);
  if (rows.length === 0) return undefined;
  const begins = new Set(protocolSpans(table).map(({ from }) => from));
  const caption = `Lead over each control, in the direction that is better${part && `: ${part}`}`;
  return scrollBox(
    caption,
    html`<table class="values leads">
      <caption>
        ${caption}
      </caption>
      ${tableHead(table, 'lead')}
      ${[...groupBy(rows, ({ method }) => method)].map(
        ([method, own]) =>
          html`<tbody>
            <tr class="group">
              <th scope="rowgroup" colspan="${table.columns.length + 1}">${method} over …</th>
            </tr>
            ${own.map(
              ({ control, leads }) =>
                html`<tr>
                  <th scope="row">${control}</th>
                  ${leads.map((entry, k) => leadCell(entry, digitsOf(table.columns[k]!), begins.has(k)))}
                </tr>`,
            )}
          </tbody>`,
      )}
    </table>`,
  );
};

/** As many leads with intervals and p as a laptop shows. */
const mostLeads = 7;

/** `knn, linear`: what a part of a split table is about. */
const familiesOf = ({ columns }: TransferTable): string =>
  [...new Set(columns.map(({ protocol }) => protocol.split('/')[0]!))].join(', ');

const explained = {
  intervals: 'Dot: mean; line: 95 % interval; ticks: seeds',
  deviations: 'Dot: mean; line: ± standard deviation over seeds; ticks: seeds',
  mixed: 'Dot: mean; line: 95 % interval, or ± standard deviation where that is not known; ticks: seeds',
};

const chartsOf = async (table: TransferTable): Promise<Content> => {
  const shown = mainColumns(table);
  const drawn: Html[] = [];
  for (const column of shown) {
    const title = `${table.dataset}: ${columnHead(table.columns[column]!)}`;
    drawn.push(
      html`<div role="img" aria-label="${`${title}. ${intervalText(table, column)}`}">
        <p class="chart-title">${columnHead(table.columns[column]!)}</p>
        ${await intervalChart(table, column)}
      </div>`,
    );
  }
  return html`<figure>
    <div class="charts narrow">${drawn}</div>
    <figcaption>
      ${explained[intervalKind(table, shown)]}; filled: methods, hollow: controls.
      ${shown.length < table.columns.length && 'Main columns only; all of them stand in the table.'}
    </figcaption>
  </figure>`;
};

/** A table a row on tracks, beside its method on single patches. */
const gainContent = (gains: readonly TrackingGain[]): Content[] => [
  html`<p>${sentence(aboutGains)}</p>`,
  ...gains.map((gain) => {
    const { head, rows } = gainCells(gain);
    const columns = head.map((name, k) => ({
      head: name,
      align: k > 1 && k < 5 ? ('right' as const) : ('left' as const),
    }));
    return html`<p>${sentence(describeGain(gain))}</p>
      ${plainTable(`${gain.tracks} beside ${gain.patches}`, columns, rows)}`;
  }),
];

/**
 * The transfer results: how to read them and which rows are missing since their runs were rejected, then by task and data set a
 * table of values, a chart a main column, and the leads.
 */
export const transferPart = async (
  results: readonly Result[],
  rejected: readonly RejectedRun[] = [],
  onPatches: readonly string[] = [],
): Promise<Section> => {
  const title = 'What the features are worth';
  const missing = warningBox(describeMissing(results, rejected));
  if (results.length === 0) return { title, content: [html`<p>No evaluation has finished.</p>`, missing] };
  const tables = arrangeResults(results);
  const byTask = [...groupBy(tables, ({ task }) => task).values()].flat();
  const parts: Section[] = [];
  for (const table of byTask) {
    const split = splitColumns(table);
    const count = seedCounts(table).length > 1;
    const caption = [table.dataset, tableCaption(table)].filter(Boolean).join('; ');
    parts.push({
      title: `${taskNames[table.task] ?? table.task}: ${table.dataset}`,
      content: [
        split.length > 1 && html`<p class="note">${caption}</p>`,
        split.map((part) => valueTable(part, split.length > 1 ? familiesOf(part) : caption, count)),
        await chartsOf(table),
        splitColumns(table, mostLeads).map((part, _, all) => leadTable(part, all.length > 1 ? familiesOf(part) : '')),
      ],
    });
  }
  const gains = trackingGains(tables, onPatches);
  if (gains.length > 0) parts.push({ title: gainTitle, content: gainContent(gains) });
  return { title, content: [missing, legend(tables)], parts };
};
