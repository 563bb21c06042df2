import { aboutTraining, trainingCells, type TrainingRow } from '../training-table.js';
import { html, type Content } from './html.js';
import { plainTable } from './table.js';

/** The table of what training took, for the page; nothing where nothing was trained. */
export const trainingPart = (rows: readonly TrainingRow[]): Content[] => {
  if (rows.length === 0) return [];
  const { head, rows: cells } = trainingCells(rows);
  const columns = head.map((name, k) => ({ head: name, align: k === 0 ? ('left' as const) : ('right' as const) }));
  return [html`<p>${aboutTraining}</p>`, plainTable('Training, by method', columns, cells)];
};
