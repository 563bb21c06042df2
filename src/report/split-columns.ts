import { groupBy } from '../numeric/group-by.js';
import type { TransferTable } from './transfer-table.js';

/** As many columns with intervals as a laptop shows and a sheet of paper holds. */
const mostColumns = 8;

/** Some columns of a table, in the order given. */
const pickColumns = (table: TransferTable, chosen: readonly number[]): TransferTable => ({
  ...table,
  columns: chosen.map((k) => table.columns[k]!),
  cells: table.cells.map((row) => chosen.map((k) => row[k])),
  best: chosen.map((k) => table.best[k]),
});

/**
 * A wide table as several that are read without scrolling: columns of one family of protocols (`knn/conv3`, `knn/conv5`) stand
 * together, families share a table as long as there is room, and one that is wider than a table continues in the next. Rows that
 * have no value in a part are left out of it.
 */
export const splitColumns = (table: TransferTable, most = mostColumns): TransferTable[] => {
  const families = groupBy([...table.columns.keys()], (k) => table.columns[k]!.protocol.split('/')[0]!);
  const parts: number[][] = [];
  for (const family of families.values()) {
    for (let from = 0; from < family.length; from += most) {
      const chunk = family.slice(from, from + most);
      const last = parts.at(-1);
      if (last && last.length + chunk.length <= most) last.push(...chunk);
      else parts.push([...chunk]);
    }
  }
  return parts.map((columns) => dropEmptyRows(pickColumns(table, columns)));
};

const dropEmptyRows = (table: TransferTable): TransferTable => {
  const kept = [...table.methods.keys()].filter((row) => table.cells[row]!.some((cell) => cell !== undefined));
  return {
    ...table,
    methods: kept.map((row) => table.methods[row]!),
    cells: kept.map((row) => table.cells[row]!),
    best: table.best.map((row) => (row === undefined ? undefined : kept.indexOf(row))),
  };
};
