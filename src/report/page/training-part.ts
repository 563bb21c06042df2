import { describeRejected, type RejectedRun } from '../rejected-runs.js';
import { aboutTraining, trainingCells, type TrainingRow } from '../training-table.js';
import { html, sentence, type Content } from './html.js';
import { plainTable } from './table.js';

/** The table of what training took, below it why runs were rejected, for the page; nothing where nothing was trained. */
export const trainingPart = (rows: readonly TrainingRow[], rejected: readonly RejectedRun[] = []): Content[] => {
  const { head, rows: cells } = trainingCells(rows, rejected);
  if (cells.length === 0) return [];
  const columns = head.map((name, k) => ({ head: name, align: k === 0 ? ('left' as const) : ('right' as const) }));
  return [
    html`<p>${aboutTraining}</p>`,
    plainTable('Training, by method', columns, cells),
    rejected.length > 0 &&
      html`<p>Rejected:</p>
        <ul>
          ${rejected.map((run) => html`<li>${sentence(describeRejected(run))}</li>`)}
        </ul>`,
  ];
};
