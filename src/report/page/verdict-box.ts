import type { Result } from '../../pipeline/result.js';
import { marks } from '../comparisons.js';
import { arrangeResults } from '../transfer-table.js';
import { html, sentence, type Content, type Html } from './html.js';
import { plainTable } from './table.js';
import { describeVerdict, mainVerdict, verdictsOf, type ControlVerdict, type Verdict } from './verdict.js';

const question = html`<p class="question">Does the video-trained network stand above its controls?</p>`;

const cellOf = (found: ControlVerdict | undefined): Content =>
  found
    ? html`<span class="counts"
        >${(['better', 'level', 'worse', 'unknown'] as const).map(
          (standing) =>
            (standing !== 'unknown' || found.counts.unknown > 0) &&
            html`<span class="${found.counts[standing] > 0 ? standing : 'level'}"
              >${found.counts[standing]} ${marks[standing]}</span
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
      ...verdicts.map((verdict) => cellOf(verdict.controls.find((entry) => entry.control === control))),
    ]),
  );
};

/** The question of the whole, its answer, and the counts behind it: every method against every control. */
export const verdictBox = (results: readonly Result[]): Html => {
  const verdicts = verdictsOf(arrangeResults(results));
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
    ${countTable(verdicts)}
    <p class="note">
      A method stands above a control when it is better by a difference in at least half of the columns and worse in
      none, partly above or below where better or worse prevails. What a difference is stands below. Columns that
      measure the same predictions are counted one by one.
    </p>
  </div>`;
};
