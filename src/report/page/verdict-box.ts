import type { Result } from '../../pipeline/result.js';
import { arrangeResults } from '../transfer-table.js';
import { html, sentence, type Content, type Html } from './html.js';
import { marks } from './leads.js';
import { plainTable } from './table.js';
import { describeVerdict, mainVerdict, verdictsOf, type ControlVerdict, type Verdict } from './verdict.js';

const question = html`<p class="question">Does the video-trained network stand above its controls?</p>`;

const counts = (found: ControlVerdict | undefined): Content => {
  if (!found) return '-';
  const { columns, ahead, behind, answer } = found;
  if (answer === 'unknown') return `${columns} unknown`;
  const level = columns - ahead - behind;
  return html`<span class="counts"
    ><span class="ahead">${ahead} ${marks.ahead}</span> <span class="level">${level} ${marks.level}</span>
    <span class="behind">${behind} ${marks.behind}</span></span
  >`;
};

const countTable = (verdicts: readonly Verdict[]): Html => {
  const controls = [...new Set(verdicts.flatMap((verdict) => verdict.controls.map(({ control }) => control)))];
  return plainTable(
    `Columns better (${marks.ahead}), level (${marks.level}), worse (${marks.behind})`,
    [{ head: 'against' }, ...verdicts.map(({ method }) => ({ head: method, align: 'right' as const }))],
    controls.map((control) => [
      control,
      ...verdicts.map((verdict) => counts(verdict.controls.find((entry) => entry.control === control))),
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
      none, and cannot be told from it where it is level in all; what a difference is stands below. Columns that measure
      the same predictions are counted one by one.
    </p>
  </div>`;
};
