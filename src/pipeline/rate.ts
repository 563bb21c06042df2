/** Seconds as people say them: `8 s`, `3 min`, `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Bytes as people say them: `312 kB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]!}`;
}

/** Below this rate, a second, people count the time that one takes. */
const slow = 0.1;

/**
 * Rate and time left, from what was done since the start of this run: `2.5 steps/s, 3 min left`; where one takes long, `4 min each, 12 min
 * left`. What an earlier run did tells nothing about this one's speed. Empty before anything was done.
 */
export function formatRate(doneNow: number, left: number, seconds: number, unit = ''): string {
  if (doneNow <= 0 || seconds <= 0) return '';
  const rate = doneNow / seconds;
  const number = rate >= 1 ? rate.toFixed(1) : rate.toPrecision(2);
  const shown = rate < slow ? `${formatSeconds(1 / rate)} each` : `${number}${unit ? ` ${unit}` : ''}/s`;
  return `${shown}, ${formatSeconds(left / rate)} left`;
}
