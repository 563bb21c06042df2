import { html, type Content, type Html } from './html.js';

/** One column of a plain table. */
export type TableColumn = { readonly head: Content; readonly align?: 'left' | 'right'; readonly wrap?: boolean };

/** A table that is wider than the screen scrolls in a box of its own, which the keyboard reaches, too. */
export const scrollBox = (label: string, content: Content): Html =>
  html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${content}</div>`;

/** A table with a caption, column heads and a head for each row (its first cell). */
export const plainTable = (
  caption: string,
  columns: readonly TableColumn[],
  rows: readonly (readonly Content[])[],
): Html => {
  const classOf = ({ align = 'left', wrap = false }: TableColumn): string =>
    [align === 'right' ? 'number' : '', wrap ? 'wrap' : ''].filter(Boolean).join(' ');
  return scrollBox(
    caption,
    html`<table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col" class="${classOf(column)}">${column.head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, k) =>
                k === 0
                  ? html`<th scope="row" class="${classOf(columns[k]!)}">${cell}</th>`
                  : html`<td class="${classOf(columns[k]!)}">${cell}</td>`,
              )}
            </tr> `,
        )}
      </tbody>
    </table>`,
  );
};
