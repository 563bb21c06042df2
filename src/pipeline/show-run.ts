import cliProgress from 'cli-progress';
import type { Display, StageMeter } from './display.js';
import { printableText } from './printable.js';
import { formatRate } from './rate.js';
import { appendToLog } from './run-log.js';
import type { Progress } from './stage.js';

/** Where lines go, and when. */
export type ShowOptions = {
  /** Every line also goes to this file, with the time. */
  readonly logFile?: string;
  /** A stage prints a line of progress at most this often, in milliseconds, and seldomer the longer it takes. @default 5000 */
  readonly everyMs?: number;
  readonly write?: (line: string) => void;
};

/** Bars on a terminal, plain lines anywhere else. */
export function showRun(terminal: boolean, options: ShowOptions = {}): Display {
  return terminal ? bars(options) : lines(options);
}

/** Between two lines of a stage passes at least this share of its time: a day's log can still be read. */
const leastShare = 0.02;

const lines = ({
  logFile,
  everyMs = 5000,
  write = (line) => void process.stdout.write(`${line}\n`),
}: ShowOptions): Display => ({
  stage: (name, total, already) => {
    const count = new StageCount(total, already);
    const began = performance.now();
    let last = began;
    const tick = (): void => {
      const now = performance.now();
      if (now - last < Math.max(everyMs, leastShare * (now - began))) return;
      last = now;
      write(`${name}: ${count.text()}`);
    };
    return {
      ended: (label, status) => {
        count.ended(label, status);
        tick();
      },
      item: (label, progress) => {
        count.item(label, progress);
        tick();
      },
      close: () => undefined,
    };
  },
  log: (line) => {
    write(printableText(line));
    appendToLog(logFile, line);
  },
  close: () => undefined,
});

const bars = ({ logFile }: ShowOptions): Display => {
  const format = '{name} {bar} {value}/{total} {text}';
  // Signals are the run's own affair: the bars must not restore the cursor by ending the process.
  const make = (): cliProgress.MultiBar =>
    new cliProgress.MultiBar(
      { format, hideCursor: false, clearOnComplete: true, gracefulExit: false, autopadding: true, barsize: 24 },
      cliProgress.Presets.shades_classic,
    );
  let multi: cliProgress.MultiBar | undefined;
  return {
    stage: (name, total, already) => {
      const shown = (multi ??= make());
      const count = new StageCount(total, already);
      const main = shown.create(total, already, { name, text: '' });
      const items = new Map<string, cliProgress.SingleBar>();
      return {
        ended: (label, status) => {
          count.ended(label, status);
          const bar = items.get(label);
          if (bar) shown.remove(bar);
          items.delete(label);
          main.update(count.finished, { name, text: count.text(false) });
        },
        item: (label, progress) => {
          count.item(label, progress);
          if (progress.total !== undefined) {
            const bar = items.get(label) ?? shown.create(progress.total, 0, { name: `  ${label}`, text: '' });
            items.set(label, bar);
            bar.update(progress.done, { name: `  ${label}`, text: count.itemText(label) });
          }
          main.update(count.finished, { name, text: count.text(false) });
        },
        close: () => {
          for (const bar of items.values()) shown.remove(bar);
          shown.remove(main);
          shown.stop();
          multi = undefined;
        },
      };
    },
    log: (line) => {
      if (multi) multi.log(`${printableText(line)}\n`);
      else process.stdout.write(`${printableText(line)}\n`);
      appendToLog(logFile, line);
    },
    close: () => multi?.stop(),
  };
};

/** Counts a stage's items and words how far it is. */
class StageCount implements Omit<StageMeter, 'close'> {
  readonly #total: number;
  readonly #already: number;
  readonly #begun = performance.now();
  readonly #counts = { done: 0, rejected: 0, failed: 0 };
  readonly #items = new Map<string, { since: number; from: number; progress: Progress }>();

  constructor(total: number, already: number) {
    this.#total = total;
    this.#already = already;
  }

  get finished(): number {
    return this.#already + this.#counts.done + this.#counts.rejected + this.#counts.failed;
  }

  ended(label: string, status: 'done' | 'rejected' | 'failed'): void {
    this.#counts[status] += 1;
    this.#items.delete(label);
  }

  item(label: string, progress: Progress): void {
    const known = this.#items.get(label);
    this.#items.set(label, { since: known?.since ?? performance.now(), from: known?.from ?? progress.done, progress });
  }

  itemText(label: string): string {
    const item = this.#items.get(label);
    if (!item) return '';
    const { done, total, unit = '', text = '' } = item.progress;
    const rate =
      total === undefined
        ? ''
        : formatRate(done - item.from, total - done, (performance.now() - item.since) / 1000, unit);
    // What a narrow terminal cuts off is not how long it takes.
    return [rate, text].filter(Boolean).join(', ');
  }

  /** Items' worth of work in those under way: what was done in this run, and all that is done of them. */
  #begunWork(): { readonly now: number; readonly whole: number } {
    let [now, whole] = [0, 0];
    for (const { from, progress } of this.#items.values()) {
      if (!progress.total) continue;
      now += (progress.done - from) / progress.total;
      whole += progress.done / progress.total;
    }
    return { now, whole };
  }

  /** `3/12, 1 rejected, 0.8/s, 11 s left; b.mp4 120/300 frames`. */
  text(long = true): string {
    const { rejected, failed } = this.#counts;
    const seconds = (performance.now() - this.#begun) / 1000;
    const parts = long ? [`${this.finished}/${this.#total}`] : [];
    if (rejected > 0) parts.push(`${rejected} rejected`);
    if (failed > 0) parts.push(`${failed} failed`);
    const { now, whole: begun } = this.#begunWork();
    const rate = formatRate(
      this.finished - this.#already + now,
      Math.max(0, this.#total - this.finished - begun),
      seconds,
    );
    if (rate) parts.push(rate);
    const items = long
      ? [...this.#items].map(([label, { progress }]) =>
          `; ${label} ${progress.done}${progress.total === undefined ? '' : `/${progress.total}`} ${progress.unit ?? ''} ${this.itemText(label)}`.trimEnd(),
        )
      : [];
    return parts.join(', ') + items.join('');
  }
}
