import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Chromium's path: `CHROME_PATH`, or the first of its usual names on `PATH`; undefined where there is none. */
export const findChromium = (): string | undefined => {
  const named = process.env['CHROME_PATH'];
  if (named !== undefined && existsSync(named)) return named;
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
    .flatMap((name) => folders.map((folder) => path.join(folder, name)))
    .find((file) => existsSync(file));
};

/** What Chromium says about a page: its output, and what the page logged. */
export type Visit = { readonly stdout: string; readonly logged: readonly string[] };

/** Opens a file in headless Chromium at a size and in a colour scheme; no name resolves, so that nothing can be fetched. */
export const visit = async (
  chromium: string,
  file: string,
  {
    width,
    height = 900,
    scheme = 'light',
    args,
  }: {
    readonly width: number;
    readonly height?: number;
    readonly scheme?: 'light' | 'dark';
    readonly args: readonly string[];
  },
): Promise<Visit> => {
  const profile = await mkdtemp(path.join(tmpdir(), 'chromium-'));
  try {
    const { stdout, stderr } = await run(
      chromium,
      [
        ...['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', `--user-data-dir=${profile}`],
        ...['--enable-logging=stderr', '--v=0', '--host-resolver-rules=MAP * ~NOTFOUND', '--no-first-run'],
        `--window-size=${width},${height}`,
        `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`,
        ...args,
        `file://${file}`,
      ],
      { timeout: 100_000, maxBuffer: 64 * 1024 * 1024 },
    );
    return { stdout, logged: stderr.split('\n').filter((line) => /:CONSOLE[:(]/.test(line)) };
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
};
