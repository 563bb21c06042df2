import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { writeWhole } from '../../drawing/image-file.js';
import { orderFigures } from '../figure-section.js';
import { readFigures } from '../read-figures.js';
import { runInWords } from '../run-summary.js';
import type { ReportInput } from '../write-report.js';
import type { DataSource } from './data-source.js';
import { embedPictures } from './embed-pictures.js';
import { curveFigures, pictureFigures, type PageFigure } from './figures-part.js';
import { html, Html } from './html.js';
import { miningBars } from './mining-part.js';
import { commandPart, factTable, paperPart, problemTable, sourceTable, stageTable } from './origin-part.js';
import { renderContents, renderSections, type Section } from './section.js';
import { style } from './style.js';
import { trainingPart } from './training-part.js';
import { transferPart } from './transfer-part.js';
import { verdictBox } from './verdict-box.js';
import { warningBox } from './warning-box.js';

/** What the page is made of: what the report is, and where the data came from. */
export type PageInput = ReportInput & {
  /** One a folder or collection of data; see `findDataNote`. @default none are listed */
  readonly sources?: readonly DataSource[];
  /** Bytes that all pictures together may take. @default 4 000 000 */
  readonly pictureBudget?: number;
};

/** Nothing may be fetched and nothing may run, whatever a name on somebody's disk contains. */
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const readPageFigures = async (input: PageInput): Promise<PageFigure[]> => {
  const figures = orderFigures(await readFigures(input.figures));
  const pictures = await embedPictures(
    figures.flatMap(({ image }) => image ?? []),
    input.pictureBudget,
  );
  const embedded = pictures.values();
  return figures.map((figure) => (figure.image ? { ...figure, embedded: embedded.next().value! } : figure));
};

const sectionsOf = async (input: PageInput, figures: readonly PageFigure[]): Promise<Section[]> => {
  const filled = (entries: Section['content']): Section['content'] =>
    entries.filter((entry) => entry !== undefined && entry !== false);
  const pictures = (title: string, kinds: Parameters<typeof pictureFigures>[1], sideBySide = false): Section => ({
    title,
    content: filled([pictureFigures(figures, kinds, { sideBySide })]),
  });
  return [
    await transferPart(input.results, input.rejected, input.onPatches),
    { title: 'The papers’ own numbers', content: paperPart(input.results) },
    {
      title: input.mining === undefined ? 'What was learned from' : 'What was mined',
      content: [],
      parts: [
        { title: 'What mining kept and refused', content: miningBars(input.mining ?? {}, figures) },
        pictures(input.run.pictures === undefined ? 'Pairs and tracks' : 'Pictures, pairs and tracks', [
          'contact-sheet',
          'tracks',
        ]),
      ],
    },
    { title: 'Scale', content: filled([await curveFigures(figures, 'scaling')]) },
    {
      title: 'Training',
      content: [],
      parts: [
        { title: 'What it took and came to', content: trainingPart(input.training ?? [], input.rejected) },
        { title: 'Losses and health', content: filled([await curveFigures(figures, 'curves')]) },
        pictures('First-layer filters', ['filters'], true),
      ],
    },
    {
      title: 'What the features see',
      content: [],
      parts: [
        pictures('Nearest neighbours', ['neighbours'], true),
        pictures('Maps of the features', ['map'], true),
        pictures('Detections', ['detections']),
        pictures('Surface normals', ['normals'], true),
      ],
    },
    { title: 'Rejected and failed items', content: problemTable(input.stages) },
    { title: 'Stages and times', content: stageTable(input.stages) },
    { title: 'The command behind every number', content: commandPart(input.results) },
    {
      title: 'Provenance',
      content: [
        ...sourceTable(input.sources ?? []),
        ...factTable('Versions, digests of data and weights', 'what', input.provenance),
      ],
    },
    { title: 'Configuration', content: factTable('Every parameter of the run', 'parameter', input.config) },
  ];
};

/**
 * Writes `index.html` into `dir`: the whole report as one file that needs nothing else (style, charts and pictures are inside; no
 * script, and a policy under which nothing is fetched), for screens wide and narrow, light and dark, and for paper. Takes the
 * input of `writeReport`. Everything that came from outside is escaped. The same input gives the same bytes. Returns its path.
 */
export const writePage = async (input: PageInput): Promise<string> => {
  const figures = await readPageFigures(input);
  const sections = await sectionsOf(input, figures);
  const seconds = input.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const title = `${input.pipeline} ${input.version}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}: report</title>
        ${new Html(`<style>${style}</style>`)}
      </head>
      <body>
        <div class="page">
          ${renderContents(sections)}
          <main>
            <h1>${title}</h1>
            ${warningBox(input.warnings ?? [])}
            <p class="lead">${runInWords(input.run, input.results, seconds)}</p>
            ${verdictBox(input.results)} ${renderSections(sections)}
          </main>
        </div>
      </body>
    </html> `;
  await mkdir(input.dir, { recursive: true });
  const target = path.join(input.dir, 'index.html');
  await writeWhole(target, page.text);
  return target;
};
