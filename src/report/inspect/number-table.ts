import { html, type Html } from '../page/html.js';
import {
  counts,
  fieldName,
  holds,
  limitInWords,
  limitOf,
  valueInWords,
  type Limit,
  type MiningParams,
} from './limits.js';
import type { LoggedDecision, LoggedValue, LoggedValues } from './logged-decision.js';

const beyond = (value: LoggedValue, limit: Limit | undefined): 'below' | 'above' | undefined => {
  if (limit === undefined || holds(value, limit)) return undefined;
  const most = typeof value === 'object' ? Math.max(-Infinity, ...value) : Number(value);
  return most < (limit.min ?? -Infinity) ? 'below' : 'above';
};

const rowsOf = ({ values, outcome }: LoggedDecision, params: MiningParams, scale: number): Html[] =>
  Object.entries(values).map(([field, value]) => {
    const limit = limitOf(field, params, scale);
    const off = counts(field, outcome) ? beyond(value, limit) : undefined;
    return html`<tr class="${off === undefined ? '' : 'off'}">
      <th scope="row">${fieldName(field)}</th>
      <td class="number">${valueInWords(value)}</td>
      <td>${limit === undefined ? '' : limitInWords(limit)}</td>
      <td>${off ?? (limit === undefined ? '' : beyond(value, limit) === undefined ? 'held' : 'another did')}</td>
    </tr>`;
  });

/** Every number of a decision, beside what was asked of it and whether it kept to that. */
export const numberTable = (decision: LoggedDecision, params: MiningParams, scale: number): Html => {
  const rows = rowsOf(decision, params, scale);
  const lists = Object.entries(decision.lists);
  return html`${
    rows.length > 0 &&
    html`<table class="numbers">
      <thead>
        <tr>
          <th scope="col">number</th>
          <th scope="col" class="number">value</th>
          <th scope="col">asked</th>
          <td></td>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`
  }
  ${lists.map(([field, entries]) => listTable(field, entries, params, scale))}`;
};

const listTable = (field: string, entries: readonly LoggedValues[], params: MiningParams, scale: number): Html => {
  const fields = [...new Set(entries.flatMap((entry) => Object.keys(entry)))];
  return html`<div class="scroll" role="region" aria-label="${fieldName(field)}" tabindex="0">
    <table class="numbers">
      <caption>
        ${fieldName(field)}
      </caption>
      <thead>
        <tr>
          ${fields.map((name) => html`<th scope="col">${fieldName(name)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${entries.map(
          (entry) =>
            html`<tr>
              ${fields.map((name) => {
                const value = entry[name];
                const off = value !== undefined && beyond(value, limitOf(`${field}.${name}`, params, scale));
                return html`<td class="${off ? 'worse' : ''}">${value === undefined ? '' : valueInWords(value)}</td>`;
              })}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
};

/** The numbers of a decision on one line, those beyond their limit marked: a cell of the table of all decisions. */
export const numbersInline = (
  { values, lists, outcome }: LoggedDecision,
  params: MiningParams,
  scale: number,
): readonly Html[] => [
  ...Object.entries(values).map(([field, value]) => {
    const limit = limitOf(field, params, scale);
    const off = counts(field, outcome) ? beyond(value, limit) : undefined;
    const text = html`${field} ${valueInWords(value)}`;
    return off === undefined
      ? html`${text}; `
      : html`<strong class="worse">${text} (${off} ${limitInWords(limit!).replace(/^at (least|most) /, '')})</strong
          >; `;
  }),
  ...Object.entries(lists).map(([field, entries]) => html`${entries.length} ${field}; `),
];
