import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import bundled from '@ffmpeg-installer/ffmpeg';
import { commandLine } from '../pipeline/invocation.js';
import { UsageError } from '../pipeline/usage-error.js';
import { fetchWheel, findWheel } from '../provision/fetch-wheel.js';
import type { Log } from '../provision/log.js';
import { SetupProblem } from '../provision/setup-problem.js';
import { readVersionText } from './ffmpeg-process.js';

/** The ffmpeg that was chosen. Which frames a damaged file gives depends on it, so `version` belongs into the record of a run. */
export type FfmpegBinary = {
  readonly path: string;
  /** As it names itself: `n9.0.2-17-g2a571b6068-20260930`. */
  readonly version: string;
  /** Who brought it. */
  readonly source: 'FFMPEG_PATH' | 'PATH' | 'set-up' | 'bundled';
  /** Version of its libavutil, which unlike `version` is a number in every build and grows with each release. */
  readonly libavutil: readonly [major: number, minor: number, micro: number];
  /** Whether it can tone-map (it has the zimg library): without, HDR videos come out dull. */
  readonly toneMaps: boolean;
};

/**
 * The static builds that set-up brings, by `process.platform`-`process.arch`: ffmpeg 9.0.2 out of the wheel `imageio-ffmpeg` 0.8.1, which
 * decodes AV1 and VVC. The wheel holds no ffprobe, and none is used: see `probeVideo`.
 */
const wheels = {
  'linux-x64': {
    platform: 'manylinux_2_28_x86_64',
    sha256: '050d6850601c3b3890bd2b28306f3b842b3daea390a561101174375a1c460bda',
    bytes: 67998402,
  },
  'linux-arm64': {
    platform: 'manylinux_2_28_aarch64',
    sha256: 'fad3176f859b25869e60a8ed79957d4e3ed74a97a95e5f0cdcb91455f6c6d00e',
    bytes: 60956631,
  },
} as const;

const wheelRequest = () => {
  const pin = (wheels as Partial<Record<string, (typeof wheels)[keyof typeof wheels]>>)[
    `${process.platform}-${process.arch}`
  ];
  if (pin === undefined) return undefined;
  const program = 'imageio_ffmpeg/binaries/ffmpeg-*';
  return {
    ...{ package: 'imageio-ffmpeg', version: '0.8.1', ...pin, pythonVersion: '3.12' },
    ...{ members: [program], executable: [program], unpackedBytes: 175_000_000 },
  };
};

/**
 * Reads the text of `ffmpeg -version`: the version's name, the number of libavutil, and whether zimg is built in.
 *
 * @throws Error where the text is not that of an ffmpeg
 */
export const parseVersionText = (text: string): Pick<FfmpegBinary, 'version' | 'libavutil' | 'toneMaps'> => {
  const version = /^ffmpeg version (\S+)/.exec(text)?.[1];
  const library = /^libavutil\s+(\d+)\.\s*(\d+)\.\s*(\d+)/m.exec(text);
  if (version === undefined || library === null) {
    throw new Error(`Expected the version text of an ffmpeg, got \`${text.slice(0, 80)}\``);
  }
  const libavutil = [Number(library[1]), Number(library[2]), Number(library[3])] as const;
  return { version, libavutil, toneMaps: text.includes('--enable-libzimg') };
};

/** What programs said of themselves, by path, size and times: asking costs a process, every video needs the answer, and it stays the same. */
const versionTexts = new Map<string, Promise<string | null>>();

const versionText = async (file: string): Promise<string | null> => {
  const entry = await stat(file).catch(() => null);
  if (entry === null) return readVersionText(file); // a name that the system looks up on PATH, or nothing
  const key = [file, entry.ino, entry.size, entry.mtimeMs, entry.ctimeMs].join(' ');
  const known = versionTexts.get(key);
  if (known !== undefined) return known;
  const asked = readVersionText(file);
  versionTexts.set(key, asked);
  // What did not run may have failed for want of memory or time.
  if ((await asked) === null) versionTexts.delete(key);
  return asked;
};

const inspect = async (file: string, source: FfmpegBinary['source']): Promise<FfmpegBinary | null> => {
  const text = await versionText(file);
  return text === null ? null : { path: file, source, ...parseVersionText(text) };
};

const newer = (a: FfmpegBinary, b: FfmpegBinary | null): boolean => {
  if (b === null) return true;
  for (let i = 0; i < 3; i++)
    if (a.libavutil[i] !== b.libavutil[i]) return (a.libavutil[i] as number) > (b.libavutil[i] as number);
  return false;
};

const onPath = async (env: NodeJS.ProcessEnv): Promise<string | null> => {
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  for (const folder of (env['PATH'] ?? '').split(path.delimiter)) {
    if (!path.isAbsolute(folder)) continue; // an ffmpeg in whatever folder one happens to stand in is not meant
    const file = path.join(folder, name);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return null;
};

const choose = async (env: NodeJS.ProcessEnv, wheel: () => Promise<string | undefined>): Promise<FfmpegBinary> => {
  const named = env['FFMPEG_PATH'];
  if (named !== undefined && named !== '') {
    const found = await inspect(named, 'FFMPEG_PATH');
    if (found === null) {
      throw new UsageError(
        `Expected \`FFMPEG_PATH\` to name an ffmpeg that runs here, got \`${named}\`; unset it to let the project choose`,
      );
    }
    return found;
  }
  const file = await onPath(env);
  const own = file === null ? null : await inspect(file, 'PATH');
  if (own !== null && newer(own, await inspect(bundled.path, 'bundled'))) return own;
  const fetched = await wheel();
  const brought = fetched === undefined ? null : await inspect(fetched, 'set-up');
  if (brought !== null) return brought;
  const old = await inspect(bundled.path, 'bundled');
  if (old !== null) return old;
  throw new UsageError(
    'Expected an ffmpeg: none on PATH, and none of those that come with the project runs here. Set `FFMPEG_PATH`',
  );
};

/**
 * Chooses the ffmpeg without reaching for the network: `FFMPEG_PATH`; else the one on PATH if it is newer than the bundled one of 2018;
 * else the one set-up brought; else the bundled one.
 *
 * @throws UsageError where `FFMPEG_PATH` names no working ffmpeg, or there is none at all
 */
export const findFfmpeg = (env: NodeJS.ProcessEnv = process.env): Promise<FfmpegBinary> =>
  choose(env, async () => {
    const request = wheelRequest();
    const found = request && (await findWheel(request));
    return found && path.join(found.folder, found.files.find((name) => name.includes('/ffmpeg-')) ?? '');
  });

/**
 * As `findFfmpeg`, but brings the pinned build where neither `FFMPEG_PATH` nor PATH decide. Where it cannot be brought (no network, no
 * pip) the bundled one of 2018 stays, and the log says what that costs.
 */
export const ensureFfmpeg = async (log: Log, env: NodeJS.ProcessEnv = process.env): Promise<FfmpegBinary> => {
  const chosen = await choose(env, async () => {
    const request = wheelRequest();
    if (request === undefined) return undefined;
    try {
      const fetched = await fetchWheel({ ...request, log });
      return path.join(fetched.folder, fetched.files.find((name) => name.includes('/ffmpeg-')) ?? '');
    } catch (error) {
      const reason = error instanceof SetupProblem ? error.explain(commandLine(['setup'])) : String(error);
      log(`ffmpeg 9 could not be brought: ${reason}`);
      return undefined;
    }
  });
  log(`ffmpeg ${chosen.version} (${chosen.source})`);
  if (chosen.source === 'bundled')
    log('the bundled ffmpeg of 2018 decodes neither AV1 nor VVC: such videos will be rejected');
  return chosen;
};
