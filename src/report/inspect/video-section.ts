import { html, sentence, type Content, type Html } from '../page/html.js';
import { plainTable, scrollBox } from '../page/table.js';
import { histogramFigure } from './histogram.js';
import type {
  CameraNumbers,
  InspectedPicture,
  InspectedStep,
  InspectedTrack,
  InspectedVideo,
} from './inspected-video.js';
import { limitOf, type MiningParams } from './limits.js';
import { isKept, reasonOf, type LoggedDecision } from './logged-decision.js';
import { NumberTally } from './number-tally.js';
import { numberTable, numbersInline } from './number-table.js';
import { peakCurve } from './peak-curve.js';
import { timeline } from './timeline.js';

/** Rows of the table of all decisions: a film of two hours has forty thousand, which no browser shows with joy. */
const mostRows = 1500;

const picture = ({ href, width, height }: InspectedPicture, alt: string, name = ''): Html =>
  html`<a href="${href}"
    ><img
      class="${name}"
      src="${href}"
      width="${width}"
      height="${height}"
      alt="${alt}"
      loading="lazy"
      decoding="async"
  /></a>`;

/** A number of pixels as it is read: signs and tenths. */
const signed = (value: number): string =>
  Math.abs(value) < 0.05 ? '0' : `${value > 0 ? '+' : '−'}${Math.abs(value).toFixed(1)}`;

const cameraInWords = (camera: CameraNumbers | undefined): string => {
  if (camera === undefined) return 'no model of the camera was found';
  const { shiftX, shiftY, zoom, turn } = camera;
  return `camera: centre ${signed(shiftX)}, ${signed(shiftY)} px, zoom ${signed(100 * (zoom - 1))} %, turn ${signed(turn)}°`;
};

const timesInWords = (times: number): string => (times === 1 ? 'as long as they are' : `drawn ${times} times as long`);

const stepCard = (step: InspectedStep, params: MiningParams, scale: number): Html => {
  const { decision, flow, residual, times, spanFrames, camera } = step;
  const place = `frame ${decision.frame}`;
  return html`<article class="card ${isKept(decision) ? 'kept' : 'refused'}" data-reason="${reasonOf(decision)}">
    <h5>${place}: <span class="outcome">${decision.outcome}</span></h5>
    <div class="pictures">
      <figure>
        ${picture(flow, `Flow and camera at ${place}`)}
        <figcaption>
          Flow over ${spanFrames} ${spanFrames === 1 ? 'frame' : 'frames'}, ${timesInWords(times.flow)};
          ${cameraInWords(camera)}
        </figcaption>
      </figure>
      <figure>
        ${picture(residual, `What is left of the flow at ${place}, windows and tracks`)}
        <figcaption>Beyond the camera, ${timesInWords(times.residual)}; windows and tracks</figcaption>
      </figure>
    </div>
    ${numberTable(decision, params, scale)}
  </article>`;
};

const trackCard = (track: InspectedTrack, params: MiningParams, scale: number): Html => {
  const { decision, a, b, strip, frames, peaks, accepted, after } = track;
  const place = `frame ${decision.frame}, window ${decision.window ?? 0}`;
  return html`<article class="card ${isKept(decision) ? 'kept' : 'refused'}" data-reason="${reasonOf(decision)}">
    <h5>${place}: <span class="outcome">${decision.outcome}</span></h5>
    ${accepted !== undefined && html`<p class="note">${accepted}</p>`}
    ${after !== undefined && html`<p class="note">${after}</p>`}
    <div class="pictures">
      <div>
        ${
          (a ?? b) &&
          html`<div class="ends">
            ${a && picture(a, `First patch, ${place}`, 'patch')} ${b && picture(b, `Last patch, ${place}`, 'patch')}
          </div>`
        }
        ${peaks.length > 0 && peakCurve(peaks, limitOf('minPeak', params, scale)?.min)}
      </div>
      <div>${numberTable(decision, params, scale)}</div>
    </div>
    ${
      strip !== undefined &&
      html`<figure>
        ${picture(strip, `The track at frames ${frames.join(', ')}`, 'strip')}
        <figcaption>frames ${frames.join(', ')}</figcaption>
      </figure>`
    }
  </article>`;
};

const decisionTable = (video: InspectedVideo, params: MiningParams): Html => {
  const { decisions, scale, log } = video;
  const shown = decisions.slice(0, mostRows);
  const row = (decision: LoggedDecision): readonly Content[] => [
    decision.frame,
    decision.window ?? '',
    html`<span class="${isKept(decision) ? 'better' : ''}">${reasonOf(decision)}</span>`,
    html`${numbersInline(decision, params, scale)}`,
  ];
  const rest = decisions.length - shown.length;
  return html`<details>
    <summary>All ${decisions.length} decisions with their numbers</summary>
    ${plainTable(
      `In the order of the log${rest > 0 ? `; ${rest} more stand in it` : ''}: ${log}`,
      [
        { head: 'frame', align: 'right' },
        { head: 'window', align: 'right' },
        { head: 'outcome' },
        { head: 'numbers', wrap: true },
      ],
      shown.map(row),
    )}
  </details>`;
};

/** Counts by reason on a line or two, the most frequent first. */
const reasonList = (reasons: Readonly<Record<string, number>>): Html =>
  html`<ul class="reasons" aria-label="What became of its time-steps and tracks">
    ${Object.entries(reasons)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .map(([reason, count]) => html`<li><b>${count}</b> ${reason}</li>`)}
  </ul>`;

const cards = (title: string, label: string, list: readonly Html[]): Content =>
  list.length > 0 &&
  html`<h4>${title}</h4>
    <div class="cards" role="region" aria-label="${label}" tabindex="0">${list}</div>`;

/** Pairs, tracks and time-steps of a video in one line. */
const summaryOf = (reasons: Readonly<Record<string, number>>): string => {
  const count = (pattern: RegExp): number =>
    Object.entries(reasons).reduce((sum, [reason, times]) => sum + (pattern.test(reason) ? times : 0), 0);
  const pairs = count(/^track: pair$/);
  return `${pairs} ${pairs === 1 ? 'pair' : 'pairs'} of ${count(/^track: /)} tracks; ${count(/^step: tracked$/)} of ${count(/^step: /)} time-steps tracked`;
};

/**
 * One video of the page, closed until somebody opens it: timeline, reasons, key frames with flow, camera and residual, tracks kept
 * and refused with every number beside what was asked of it, histograms, and the table of all decisions. `place` is its address
 * in the page.
 */
export const videoSection = (video: InspectedVideo, params: MiningParams, place: string): Html => {
  const { label, decisions, steps, tracks, notes, facts, frames, scale } = video;
  const tally = new NumberTally(params);
  for (const decision of decisions) tally.add(decision, scale);
  const { reasons, numbers } = tally;
  const stepFrames = typeof params['stepFrames'] === 'number' ? params['stepFrames'] : 1;
  const kept = tracks.filter(({ decision }) => isKept(decision));
  const refused = tracks.filter(({ decision }) => !isKept(decision));
  const count = (list: readonly InspectedTrack[], kind: boolean): string =>
    `${list.length} of ${decisions.filter((decision) => decision.kind === 'track' && isKept(decision) === kind).length}`;
  const pairs = (reasons['track: pair'] ?? 0) > 0;
  const draw = (track: InspectedTrack): Html => trackCard(track, params, scale);
  return html`<details
    class="video"
    id="${place}"
    data-name="${label}"
    data-outcome="${pairs ? 'pairs' : 'none'}"
    data-reasons="${JSON.stringify(Object.keys(reasons))}"
  >
    <summary>
      <h3>${label}</h3>
      <span class="note">${summaryOf(reasons)}</span>
    </summary>
    ${notes.length > 0 && html`<div class="warnings" role="note">${notes.map((note) => html`<p>${sentence(note)}</p>`)}</div>`}
    <p class="note">${facts.map(([name, value]) => `${name} ${value}`).join(' · ')}</p>
    ${frames > 0 && decisions.length > 0 && scrollBox(`Timeline of ${label}`, timeline(decisions, frames, stepFrames))}
    ${reasonList(reasons)}
    ${
      numbers.length > 0 &&
      html`<details>
        <summary>Histograms of its numbers</summary>
        <div class="charts narrow">${numbers.map(histogramFigure)}</div>
      </details>`
    }
    ${cards(
      `Time-steps, ${steps.length} of ${decisions.filter(({ kind }) => kind === 'step').length}`,
      `Time-steps of ${label}`,
      steps.map((step) => stepCard(step, params, scale)),
    )}
    ${cards(`Pairs kept, ${count(kept, true)}`, `Pairs of ${label}`, kept.map(draw))}
    ${cards(`Tracks refused, ${count(refused, false)}`, `Tracks refused of ${label}`, refused.map(draw))}
    ${decisionTable(video, params)}
  </details> `;
};
