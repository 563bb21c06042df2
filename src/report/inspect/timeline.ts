import { html, type Html } from '../page/html.js';
import { isKept, reasonOf, type LoggedDecision } from './logged-decision.js';

const width = 1000;
const rows = { step: { y: 4, height: 22 }, track: { y: 32, height: 22 } };
const axisY = 60;
/** Marks of tracks beyond this many would only hide one another. */
const mostTracks = 1500;

type Stretch = { readonly outcome: string; readonly from: number; to: number; steps: number };

/** Time-steps next to each other with one outcome, as one. */
const stretchesOf = (steps: readonly LoggedDecision[], stepFrames: number): Stretch[] => {
  const found: Stretch[] = [];
  for (const { outcome, frame } of steps) {
    const last = found.at(-1);
    const to = frame + stepFrames;
    if (last?.outcome === outcome && last.to >= frame) Object.assign(last, { to, steps: last.steps + 1 });
    else found.push({ outcome, from: frame, to, steps: 1 });
  }
  return found;
};

/** Of what kind an outcome of a time-step is, for its colour. */
const groupOf = (outcome: string): string => {
  if (outcome === 'tracked') return 'kept';
  return /^(clip-ends|shot-cut)$/.test(outcome)
    ? 'outside'
    : /^too-little|^no-window|^too-few/.test(outcome)
      ? 'little'
      : 'refused';
};

/** Frame numbers below the axis. */
const ticks = (frames: number): number[] => {
  const rough = frames / 8;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = Math.max(
    1,
    [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough)!,
  );
  return Array.from({ length: Math.floor(frames / step) + 1 }, (_, k) => k * step);
};

/**
 * What became of a video from its first frame to its last: time-steps above (green: tracked; pale: too little to see; red:
 * refused; grey: a cut or the end lies within the track), below them the tracks that began there, a tall green line for a pair, a
 * short red one for none; cuts as lines through both.
 */
export const timeline = (decisions: readonly LoggedDecision[], frames: number, stepFrames: number): Html => {
  const steps = decisions.filter(({ kind }) => kind === 'step');
  const tracks = decisions.filter(({ kind }) => kind === 'track');
  const x = (frame: number): string => ((Math.min(frame, frames) / frames) * width).toFixed(1);
  const kept = tracks.filter((track) => isKept(track)).length;
  const label = `${steps.length} time-steps over ${frames} frames, ${tracks.length} tracks, ${kept} of them pairs; all stand in the table of decisions below`;
  const cuts = steps.filter((step, k) => k > 0 && step.shot !== steps[k - 1]!.shot);
  return html`<svg class="timeline" role="img" aria-label="${label}" viewBox="0 0 ${width} 76">
    ${stretchesOf(steps, stepFrames).map(
      ({ outcome, from, to, steps: count }) =>
        html`<rect
          class="${groupOf(outcome)}"
          x="${x(from)}"
          y="${rows.step.y}"
          width="${Math.max(1, Number(x(to)) - Number(x(from)) - 0.5).toFixed(1)}"
          height="${rows.step.height}"
        >
          <title>frames ${from} to ${to - 1}: ${outcome}, ${count} ${count === 1 ? 'time-step' : 'time-steps'}</title>
        </rect>`,
    )}
    ${tracks.slice(0, mostTracks).map((track) => {
      const pair = isKept(track);
      const high = pair ? rows.track.height : rows.track.height / 2;
      // Several windows of a time-step stand side by side.
      const left = Number(x(track.frame)) + 3 * (track.window ?? 0);
      return html`<rect
        class="${pair ? 'kept' : 'refused'}"
        x="${left.toFixed(1)}"
        y="${rows.track.y + rows.track.height - high}"
        width="2.2"
        height="${high}"
      >
        <title>frame ${track.frame}, window ${track.window ?? 0}: ${reasonOf(track)}</title>
      </rect>`;
    })}
    ${cuts.map(({ frame }) => html`<path class="cut" d="M${x(frame)} 0V${axisY}" />`)}
    <path class="axis" d="M0 ${axisY}h${width}" />
    ${ticks(frames).map(
      (frame) =>
        html`<text
          class="faint"
          x="${x(frame)}"
          y="${axisY + 13}"
          text-anchor="${frame === 0 ? 'start' : frame > 0.97 * frames ? 'end' : 'middle'}"
          >${frame}</text
        >`,
    )}
  </svg>`;
};
