import type { Result } from '../../pipeline/result.js';
import { compareWithControls, marks, tally, type Tally } from '../comparisons.js';
import { arrangeResults, isControl, type TransferTable } from '../transfer-table.js';
import { html, sentence, type Content, type Html } from './html.js';
import { plainTable } from './table.js';
import { judgeRun, mainVerdict, verdictsOf, type Verdict } from './verdict.js';

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

/** A row a control and a column a method; the other way round where there are more methods, so that it does not grow wide. */
const countTable = (verdicts: readonly Verdict[]): Html => {
  const controls = [...new Set(verdicts.flatMap((verdict) => verdict.controls.map(({ control }) => control)))];
  const caption = `Columns better (${marks.better}), level (${marks.level}), worse (${marks.worse})`;
  const countsOf = (verdict: Verdict, control: string): Content =>
    cellOf(verdict.controls.find((entry) => entry.control === control)?.counts);
  const right = (head: string) => ({ head, align: 'right' as const });
  if (verdicts.length > controls.length) {
    return plainTable(
      caption,
      [{ head: 'method' }, ...controls.map((control) => right(`against ${control}`))],
      verdicts.map((verdict) => [verdict.method, ...controls.map((control) => countsOf(verdict, control))]),
    );
  }
  return plainTable(
    caption,
    [{ head: 'against' }, ...verdicts.map(({ method }) => right(method))],
    controls.map((control) => [control, ...verdicts.map((verdict) => countsOf(verdict, control))]),
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

/**
 * The question of the whole, its answer, and the counts behind it: every method against every control, and the one that is asked
 * about data set by data set. The question is about the video-trained network where the run has it, otherwise about its methods.
 */
export const verdictBox = (results: readonly Result[]): Html => {
  const tables = arrangeResults(results);
  const verdicts = verdictsOf(tables);
  const methods = new Set(results.map(({ method }) => method).filter((method) => !isControl(method)));
  const { question, answer, text } = judgeRun(verdicts, [...methods]);
  const main = mainVerdict(verdicts);
  return html`<div class="verdict ${answer}">
    <p class="question">${question}</p>
    <p class="answer">${sentence(text)}</p>
    ${
      verdicts.length > 0 &&
      html`${countTable(verdicts)} ${main && dataSetTable(tables, main)}
        <p class="note">
          A method stands above a control when it is better by a difference in at least half of the columns and worse in
          none, partly above or below where better or worse prevails. What a difference is stands below. Columns that
          measure the same predictions are counted one by one.
        </p>`
    }
  </div>`;
};
