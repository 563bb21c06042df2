import { createHash } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { html, Html, sentence, type Content } from '../page/html.js';
import { miningBars } from '../page/mining-part.js';
import { style } from '../page/style.js';
import { plainTable } from '../page/table.js';
import { warningBox } from '../page/warning-box.js';
import { quantile } from '../../numeric/statistics.js';
import { histogramFigure } from './histogram.js';
import type { InspectedVideo } from './inspected-video.js';
import { inspectionScript } from './inspection-script.js';
import { inspectionStyle } from './inspection-style.js';
import { fieldName, limitInWords, shortNumber, type MiningParams } from './limits.js';
import type { TalliedNumber } from './number-tally.js';
import { videoSection } from './video-section.js';

/** A video in the list on top of the page. */
export type OverviewRow = {
  readonly label: string;
  readonly frames: number;
  /** Counts by reason, as the ledger has them. */
  readonly reasons: Readonly<Record<string, number>>;
};

/** Videos that could not be mined, a line a reason. */
export type UnminedVideos = {
  readonly stage: string;
  readonly status: string;
  readonly reason: string;
  readonly count: number;
  /** Some of them. */
  readonly labels: readonly string[];
};

/** What stands above the videos. */
export type InspectionHead = {
  readonly title: string;
  /** Sentences on what was mined, with `names` between backticks. */
  readonly lead: readonly string[];
  /** The command that made the run. */
  readonly command: string;
  readonly warnings: readonly string[];
  readonly params: MiningParams;
  /** Over all mined videos, not only those shown. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly numbers: readonly TalliedNumber[];
  readonly unmined: readonly UnminedVideos[];
  /** Those shown below, in order. */
  readonly videos: readonly OverviewRow[];
};

const hashOfScript = createHash('sha256').update(inspectionScript).digest('base64');
/** The page's own script and pictures beside the page, nothing else, whatever a name on somebody's disk contains. */
const policy = `default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; script-src 'sha256-${hashOfScript}'; base-uri 'none'; form-action 'none'`;

const numberRows = (numbers: readonly TalliedNumber[]): Html =>
  plainTable(
    'Every number that decides; lengths in pixels of a frame of 448 x 600. Those that went on, and those that did not: median, and the middle half',
    [
      { head: 'of' },
      { head: 'number' },
      { head: 'went on', align: 'right' },
      { head: 'did not', align: 'right' },
      { head: 'asked' },
      { head: 'beyond', align: 'right' },
      { head: 'seen', align: 'right' },
    ],
    numbers.map(({ kind, field, kept, refused, limit, seen, beyond }) => [
      kind,
      fieldName(field),
      middle(kept),
      middle(refused),
      limit === undefined ? '' : limitInWords(limit),
      limit === undefined ? '' : beyond,
      seen,
    ]),
  );

const middle = (values: readonly number[]): Content => {
  if (values.length === 0) return '';
  const [low, half, high] = [0.25, 0.5, 0.75].map((q) => shortNumber(quantile(values, q)));
  return html`${half} <span class="interval">${low} to ${high}</span>`;
};

/** The reason for which most was refused. */
const mostRefused = (reasons: Readonly<Record<string, number>>): string => {
  const refused = Object.entries(reasons).filter(([reason, count]) => count > 0 && !/: (pair|tracked)$/.test(reason));
  const [reason, count] = refused.sort(([, m], [, n]) => n - m)[0] ?? ['', 0];
  return count > 0 ? `${count} x ${reason}` : '';
};

const sumOf = (reasons: Readonly<Record<string, number>>, pattern: RegExp): number =>
  Object.entries(reasons).reduce((sum, [reason, count]) => sum + (pattern.test(reason) ? count : 0), 0);

const overview = (videos: readonly OverviewRow[]): Html =>
  html`<div class="scroll" role="region" aria-label="Videos" tabindex="0">
    <table>
      <caption>
        Videos shown below
      </caption>
      <thead>
        <tr>
          ${['video', 'frames', 'time-steps', 'tracked', 'tracks', 'pairs', 'most often refused for'].map(
            (head, k) => html`<th scope="col" class="${k > 0 && k < 6 ? 'number' : ''}">${head}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${videos.map(
          ({ label, frames, reasons }, k) =>
            html`<tr data-video="v${k + 1}">
              <th scope="row" class="wrap"><a href="#v${k + 1}">${label}</a></th>
              ${[
                frames,
                sumOf(reasons, /^step: /),
                reasons['step: tracked'] ?? 0,
                sumOf(reasons, /^track: /),
                reasons['track: pair'] ?? 0,
              ].map((number) => html`<td class="number">${number}</td>`)}
              <td>${mostRefused(reasons)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

const unminedTable = (unmined: readonly UnminedVideos[]): Html =>
  plainTable(
    'Videos without a log',
    [
      { head: 'reason', wrap: true },
      { head: 'stage' },
      { head: 'status' },
      { head: 'videos', align: 'right' },
      { head: 'which', wrap: true },
    ],
    unmined.map(({ stage, status, reason, count, labels }) => [
      reason,
      ...[stage, status, count],
      `${labels.join(', ')}${count > labels.length ? ` and ${count - labels.length} more` : ''}`,
    ]),
  );

const paramTable = (params: MiningParams): Html =>
  plainTable(
    'Parameters of mining',
    [{ head: 'parameter' }, { head: 'value' }],
    Object.entries(params).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );

const filterForm = (reasons: Readonly<Record<string, number>>): Html =>
  html`<form class="filter" role="search" aria-label="Filter the videos" hidden>
    <label>video <input name="name" type="search" placeholder="part of its name" /></label>
    <label
      >outcome
      <select name="outcome">
        <option value="">any</option>
        <option value="pairs">with pairs</option>
        <option value="none">without a pair</option>
      </select>
    </label>
    <label
      >reason
      <select name="reason">
        <option value="">any</option>
        ${Object.entries(reasons).map(([reason, count]) => count > 0 && html`<option value="${reason}">${reason} (${count})</option>`)}
      </select>
    </label>
    <button type="button" name="open">Open those shown</button>
    <button type="button" name="close">Close all</button>
    <button type="reset">Clear</button>
    <output aria-live="polite"></output>
  </form>`;

const pictureKey = html`<ul class="key">
  <li><i style="background:#5abeff"></i>points that agree with the camera</li>
  <li><i style="background:#ffb000"></i>points that move by themselves</li>
  <li><i style="background:#ff5abe"></i>where the camera's model takes the picture (lattice)</li>
  <li><i style="background:#3cc850"></i>window, path and last box of a track that became a pair</li>
  <li><i style="background:#e63c78"></i>of one that did not</li>
  <li><i style="background:#fff;border:1px solid #888"></i>a window that was not followed</li>
</ul>`;

const part = (id: string, title: string, content: Content): Html =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section>`;

/** The whole page but for its videos. */
const frameOf = (head: InspectionHead): Html => {
  const { title, lead, command, warnings, params, reasons, numbers, unmined, videos } = head;
  const sections = [
    ['totals', 'Totals a reason', Object.keys(reasons).length > 0 && miningBars(reasons, [])],
    [
      'numbers',
      'Numbers and limits',
      numbers.length > 0 &&
        html`<p class="note">
            What went on stands below in green, what did not on top of it in red; dashed lines are limits. That a number
            keeps to its limit does not say that the others did.
          </p>
          <div class="charts narrow">${numbers.map(histogramFigure)}</div>
          ${numberRows(numbers)}`,
    ],
    ['unmined', 'Videos that could not be mined', unmined.length > 0 && unminedTable(unmined)],
    [
      'parameters',
      'Parameters',
      html`<details>
        <summary>All ${Object.keys(params).length}</summary>
        ${paramTable(params)}
      </details>`,
    ],
    ['videos', 'Videos', html`${filterForm(reasons)}${overview(videos)}${pictureKey}`],
  ] as const;
  const filled = sections.filter(([, , content]) => content !== false);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}: what mining saw</title>
        ${new Html(`<style>${style}${inspectionStyle}</style>`)}
      </head>
      <body>
        <div class="page">
          <nav aria-labelledby="contents">
            <h2 id="contents">Contents</h2>
            <ol>
              ${filled.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
            </ol>
          </nav>
          <main>
            <h1>What mining saw: ${title}</h1>
            ${warningBox(warnings)} ${lead.map((text) => html`<p class="lead">${sentence(text)}</p>`)}
            <details>
              <summary>The command of the run</summary>
              <pre><code>${command}</code></pre>
            </details>
            ${filled.map(([id, name, content]) => part(id, name, content))} ${new Html(placeOfVideos)}
          </main>
        </div>
        ${new Html(`<script>${inspectionScript}</script>`)}
      </body>
    </html> `;
};

/** Where the videos come in; no text can contain it, since all text is escaped. */
const placeOfVideos = '<!-- videos -->';

/**
 * Writes the inspection page video by video, so that memory does not grow with their number: under a temporary name beside it
 * until `close`, so that a page is whole or absent. Everything that came from outside is escaped. The same input gives the same
 * bytes.
 */
export class InspectionPage {
  readonly #target: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #params: MiningParams;
  readonly #end: string;
  #videos = 0;

  private constructor(target: string, temporary: string, file: FileHandle, params: MiningParams, end: string) {
    this.#target = target;
    this.#temporary = temporary;
    this.#file = file;
    this.#params = params;
    this.#end = end;
  }

  /** Begins a page; its folder must be there. */
  static async begin(target: string, head: InspectionHead): Promise<InspectionPage> {
    const temporary = `${target}.${process.pid}.tmp`;
    const file = await open(temporary, 'w');
    const [begin, end] = frameOf(head).text.split(placeOfVideos);
    await file.write(begin!);
    return new InspectionPage(target, temporary, file, head.params, end!);
  }

  /** Adds the next video of the head's list. */
  async add(video: InspectedVideo): Promise<void> {
    this.#videos++;
    await this.#file.write(videoSection(video, this.#params, `v${this.#videos}`).text);
  }

  /** Ends the page and puts it in place. */
  async close(): Promise<void> {
    await this.#file.write(this.#end);
    await this.#file.close();
    await rename(this.#temporary, this.#target);
  }

  /** Gives the page up. */
  async discard(): Promise<void> {
    await this.#file.close();
    await rm(this.#temporary, { force: true });
  }
}
