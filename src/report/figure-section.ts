import type { Figure } from '../pipeline/figure.js';
import { escapeMarkdown, markdownSentence } from './markdown.js';
import type { PlacedFigure } from './write-report.js';

/** Which kinds of figure stand under which heading, in what order. */
const headings: readonly (readonly [string, readonly Figure['kind'][]])[] = [
  ['Mining', ['bars', 'contact-sheet', 'tracks']],
  ['Scale', ['scaling']],
  ['Training', ['curves', 'filters']],
  ['Transfer', ['neighbours', 'map', 'detections', 'normals']],
];

/** Figures in the order in which the report shows them: by heading and kind, within a kind as given. */
export const orderFigures = <T extends { readonly figure: Pick<Figure, 'kind'> }>(figures: readonly T[]): T[] =>
  headings.flatMap(([, kinds]) => kinds.flatMap((kind) => figures.filter(({ figure }) => figure.kind === kind)));

/** All figures as Markdown: headings (those without a figure left out), titles, pictures, captions. */
export const figureSection = (figures: readonly PlacedFigure[]): string[] =>
  headings.flatMap(([heading, kinds]) => {
    const shown = orderFigures(figures.filter(({ figure }) => kinds.includes(figure.kind)));
    if (shown.length === 0) return [];
    return [
      `### ${heading}`,
      ...shown.flatMap(({ figure, file }) => [
        `#### ${escapeMarkdown(figure.title)}`,
        `![${escapeMarkdown(figure.title)}](${file})`,
        markdownSentence(figure.caption),
      ]),
    ];
  });
