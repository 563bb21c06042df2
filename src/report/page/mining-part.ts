import { barsSchema } from '../draw-chart.js';
import { groupBy } from '../../numeric/group-by.js';
import type { PageFigure } from './figures-part.js';
import { html, sentence, type Content, type Html } from './html.js';
import { scrollBox } from './table.js';

type Bar = { readonly name: string; readonly value: number };

/** What was gone on with or kept, among reasons that refuse something. */
const isKept = (name: string): boolean => /(^|: )(pair|tracked|accepted)$/.test(name);

const barRow = ({ name, value }: Bar, most: number): Html =>
  html`<tr class="${isKept(name) ? 'kept' : value === 0 ? 'none' : 'refused'}">
    <th scope="row">${name}</th>
    <td class="number">${value}</td>
    <td aria-hidden="true">
      <span class="bar" style="width:${most > 0 ? ((100 * value) / most).toFixed(2) : 0}%"></span>
    </td>
  </tr>`;

/** Counts as a table whose last column draws them: readable by eye, by ear and on paper. Most frequent first. */
const barTable = (caption: string, bars: readonly Bar[]): Html => {
  const ordered = [...bars].sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
  const most = Math.max(0, ...ordered.map(({ value }) => value));
  const table = html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">outcome</th>
        <th scope="col" class="number">count</th>
        <td></td>
      </tr>
    </thead>
    <tbody>
      ${ordered.map((bar) => barRow(bar, most))}
    </tbody>
  </table>`;
  return html`<div class="bars">${scrollBox(caption, table)}</div>`;
};

/** `step: too-little-motion` and `track: lost` belong to different counts, each with bars of its own. */
const groupNames: Readonly<Record<string, string>> = {
  step: 'Time-steps: where a window was looked for',
  track: 'Tracks: what a window that was followed came to',
  selection: 'Selection: pairs that made room for others of their video',
  video: 'Videos that were not mined',
};

const groupedTables = (bars: readonly Bar[]): Html[] =>
  [...groupBy(bars, ({ name }) => /^(\w+): /.exec(name)?.[1] ?? '')].map(([group, own]) => {
    const short = own.map(({ name, value }) => ({ name: group === '' ? name : name.slice(group.length + 2), value }));
    return barTable(groupNames[group] ?? (group === '' ? 'Counts over all videos' : group), short);
  });

const equal = (a: readonly Bar[], b: readonly Bar[]): boolean => {
  const keyOf = (bars: readonly Bar[]): string =>
    JSON.stringify(bars.map(({ name, value }) => `${name} ${value}`).sort());
  return keyOf(a) === keyOf(b);
};

/** What mining kept and every reason for which it refused something, each a bar; then other bars that stages drew. */
export const miningBars = (mining: Readonly<Record<string, number>>, figures: readonly PageFigure[]): Content[] => {
  const counted = Object.entries(mining).map(([name, value]) => ({ name, value }));
  const others = figures
    .filter(({ figure }) => figure.kind === 'bars')
    .map(({ figure }) => ({ figure, bars: barsSchema.parse(figure.data).bars }))
    // A stage may have drawn the same counts.
    .filter(({ bars }) => !equal(bars, counted));
  return [
    ...(counted.length > 0 ? groupedTables(counted) : []),
    ...others.flatMap(({ figure, bars }) => [
      html`<h4>${figure.title}</h4>
        <p class="note">${sentence(figure.caption)}</p>`,
      ...groupedTables(bars),
    ]),
  ];
};
