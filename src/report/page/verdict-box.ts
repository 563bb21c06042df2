import type { Result } from '../../pipeline/result.js';
import { compareWithControls, marks, tally, type Tally } from '../comparisons.js';
import { arrangeResults, type TransferTable } from '../transfer-table.js';
import { html, sentence, type Content, type Html } from './html.js';
import { plainTable } from './table.js';
import { describeVerdict, mainVerdict, verdictsOf, type Verdict } from './verdict.js';

const question = html`<p class="question">Does the video-trained network stand above its controls?</p>`;

const cellOf = (counts: Tally | undefined): Content =>
  counts
    ? html`<span class="counts"
        >${(['better', 'level', 'worse', 'unknown'] as const).map(
          (standing) =>
            (standing !== 'unknown' || counts.unknown > 0) &&
            html`<span class="${counts[standing] > 0 ? standing : 'level'}"
              >${counts[standing]} ${marks[standing]}</span
            >`,
        )}</span
      >`
    : '-';

const countTable = (verdicts: readonly Verdict[]): Html => {
  const controls = [...new Set(verdicts.flatMap((verdict) => verdict.controls.map(({ control }) => control)))];
  return plainTable(
    `Columns better (${marks.better}), level (${marks.level}), worse (${marks.worse})`,
    [{ head: 'against' }, ...verdicts.map(({ method }) => ({ head: method, align: 'right' as const }))],
    controls.map((control) => [
      control,
      ...verdicts.map((verdict) => cellOf(verdict.controls.find((entry) => entry.control === control)?.counts)),
    ]),
  );
};

/** Where one method stands how: the same counts data set by data set, where there are several. */
const dataSetTable = (tables: readonly TransferTable[], { method, controls }: Verdict): Content => {
  const own = tables
    .map((table) => ({ table, rows: compareWithControls(table).filter((row) => row.method === method) }))
    .filter(({ rows }) => rows.length > 0);
  if (own.length < 2) return undefined;
  return plainTable(
    `${method} by data set`,
    [{ head: 'against' }, ...own.map(({ table }) => ({ head: table.dataset, align: 'right' as const }))],
    controls.map(({ control }) => [
      control,
      ...own.map(({ rows }) => {
        const found = rows.find((row) => row.control === control);
        return cellOf(found && tally(found));
      }),
    ]),
  );
};

/** The question of the whole, its answer, and the counts behind it: every method against every control, and the main one data set by data set. */
export const verdictBox = (results: readonly Result[]): Html => {
  const tables = arrangeResults(results);
  const verdicts = verdictsOf(tables);
  const main = mainVerdict(verdicts);
  if (!main) {
    return html`<div class="verdict unknown">
      ${question}
      <p class="answer">Not to be told: no method was evaluated beside a control.</p>
    </div>`;
  }
  return html`<div class="verdict ${main.answer}">
    ${question}
    <p class="answer">${sentence(describeVerdict(main))}</p>
    ${countTable(verdicts)} ${dataSetTable(tables, main)}
    <p class="note">
      A method stands above a control when it is better by a difference in at least half of the columns and worse in
      none, partly above or below where better or worse prevails. What a difference is stands below. Columns that
      measure the same predictions are counted one by one.
    </p>
  </div>`;
};
