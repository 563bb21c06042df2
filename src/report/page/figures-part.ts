import type { Figure } from '../../pipeline/figure.js';
import { drawChart, namesOfKind, type CurveKind } from '../draw-chart.js';
import type { ReadFigure } from '../read-figures.js';
import type { EmbeddedPicture } from './embed-pictures.js';
import { html, Html, sentence, type Content } from './html.js';
import { pageLook } from './look.js';

/** A figure that the page can show: its picture embedded, if it has one. */
export type PageFigure = ReadFigure & { readonly embedded?: EmbeddedPicture };

const captionOf = ({ title, caption }: Figure): Html =>
  html`<figcaption><strong>${title}</strong>${sentence(caption)}</figcaption>`;

/** Below this a picture is shown as it is on a phone; wider ones scroll. */
const smallWidth = 640;

const pictureFigure = ({ figure }: PageFigure, { src, width, height }: EmbeddedPicture): Html =>
  html`<figure class="picture">
    ${captionOf(figure)}
    <div class="sheet${width <= smallWidth && ' small'}" role="region" aria-label="${figure.title}" tabindex="0">
      <img
        src="${src}"
        width="${width}"
        height="${height}"
        alt="${`${figure.title}. ${figure.caption.replaceAll('`', '')}`}"
      />
    </div>
  </figure>`;

const curvesFigure = async ({ figure }: PageFigure, names: readonly string[]): Promise<Html> =>
  html`<figure>
    <div role="img" aria-label="${`${figure.title}. ${figure.caption}`}">
      ${new Html(await drawChart(figure, names, pageLook))}
    </div>
    ${captionOf(figure)}
  </figure>`;

/** Charts of a kind, a name of one colour in all of them, side by side where there is room. */
export const curveFigures = async (figures: readonly PageFigure[], kind: CurveKind): Promise<Content> => {
  const names = namesOfKind(kind, figures);
  const drawn: Html[] = [];
  for (const figure of figures.filter(({ figure: { kind: own } }) => own === kind)) {
    drawn.push(await curvesFigure(figure, names));
  }
  return drawn.length > 0 && html`<div class="charts">${drawn}</div>`;
};

/** The pictures of some kinds, in the order given: one below the other, or side by side where there is room. */
export const pictureFigures = (
  figures: readonly PageFigure[],
  kinds: readonly Figure['kind'][],
  { sideBySide = false }: { readonly sideBySide?: boolean } = {},
): Content => {
  const shown = kinds.flatMap((kind) => figures.filter(({ figure, embedded }) => figure.kind === kind && embedded));
  if (shown.length === 0) return undefined;
  const drawn = shown.map((figure) => pictureFigure(figure, figure.embedded!));
  return sideBySide ? html`<div class="sheets">${drawn}</div>` : drawn;
};
