import type { Result } from '../../pipeline/result.js';
import { isControl, lead, type TransferTable } from '../transfer-table.js';

/** Where a method stands to a control in one column: a difference for the better or the worse, or none that can be shown. */
export type Standing = 'ahead' | 'level' | 'behind';

/** A method against a control in one column. */
export type PageLead = {
  /** In the metric's good direction. */
  readonly by: number;
  readonly standing: Standing;
  /** What the standing rests on: a paired test on the same images, the spread over seeds, or nothing (one seed). */
  readonly basis: 'test' | 'spread' | 'none';
  readonly interval?: readonly [number, number];
  /** After Holm's correction over the column. */
  readonly p?: number;
};

/** The mark of a standing, as the tables show it. */
export const marks: Readonly<Record<Standing, string>> = { ahead: '▲', level: '○', behind: '▼' };

/** Called a difference below this. */
const significance = 0.05;

/**
 * How `method` stands to `control`: by the paired test where the result carries one (a difference where Holm's p is below 0.05),
 * otherwise by the spread over seeds, which must be exceeded either way.
 */
export const leadOf = (method: Result, control: Result): PageLead => {
  const test = method.paired?.find((entry) => entry.control === control.method);
  if (test) {
    const { difference: by, adjustedP: p, interval } = test;
    const standing = p >= significance || by === 0 ? 'level' : by > 0 ? 'ahead' : 'behind';
    return { by, standing, basis: 'test', interval, p };
  }
  const { by, spread } = lead(method, control);
  const standing = by > spread ? 'ahead' : by < -spread ? 'behind' : 'level';
  return { by, standing, basis: spread === Infinity ? 'none' : 'spread' };
};

/** A method against a control: a lead a column, undefined where one of the two was not evaluated so. */
export type LeadRow = {
  readonly method: string;
  readonly control: string;
  readonly leads: readonly (PageLead | undefined)[];
};

/** Every method of a table against every control that shares a column with it, in the order of the rows. */
export const leadRows = ({ methods, cells, columns }: TransferTable): LeadRow[] =>
  methods.flatMap((method, row) =>
    isControl(method)
      ? []
      : methods.flatMap((control, other) => {
          if (!isControl(control)) return [];
          const leads = columns.map((_, k) => {
            const [mine, theirs] = [cells[row]![k], cells[other]![k]];
            const both = mine && theirs && Number.isFinite(mine.mean) && Number.isFinite(theirs.mean);
            return both ? leadOf(mine, theirs) : undefined;
          });
          return leads.some((entry) => entry !== undefined) ? [{ method, control, leads }] : [];
        }),
  );
