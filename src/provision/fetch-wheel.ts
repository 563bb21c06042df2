import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache.js';
import { formatBytes, requireDisk } from './disk.js';
import type { Log } from './log.js';
import { pipDownload, type WheelPin } from './pip-download.js';
import { endWithParent, findPython } from './python.js';
import { ensureReadyFolder, inspectReadyFolder, type Scrutiny } from './ready-folder.js';
import { SetupProblem } from './setup-problem.js';

const run = promisify(execFile);

/** A pinned wheel and what of it is wanted. */
export type WheelRequest = WheelPin & {
  /**
   * Which members to unpack: a path inside the wheel (`tensorflow/libtensorflow_cc.so.2`), a folder with a slash at its end
   * (`tensorflow/include/tsl/`), or a pattern in which `*` stands for anything but a slash (`imageio_ffmpeg/binaries/ffmpeg-*`).
   */
  readonly members: readonly string[];
  /** Members to be made executable, by the same rules. @default none */
  readonly executable?: readonly string[];
  /** Bytes of those members once unpacked, for the disk check. */
  readonly unpackedBytes: number;
  readonly log: Log;
  /** How closely an unpacked wheel that is already there is looked at. @default 'sizes' */
  readonly scrutiny?: Scrutiny;
  /** The cache to use. @default cacheFolder() */
  readonly cache?: string;
};

/** An unpacked wheel: its folder, and its files by their path inside the wheel. */
export type FetchedWheel = { readonly folder: string; readonly files: readonly string[] };

/** Where the wanted members of a wheel lie once unpacked: named after all that decides the content, so that two versions live side by side. */
export function wheelFolder(
  request: Pick<WheelRequest, 'package' | 'version' | 'sha256' | 'members' | 'executable' | 'cache'>,
): string {
  const members = createHash('sha256')
    .update(JSON.stringify([request.members, request.executable ?? []]))
    .digest('hex')
    .slice(0, 8);
  const name = `${request.package}-${request.version}-${request.sha256.slice(0, 12)}-${members}`;
  return path.join(request.cache ?? cacheFolder(), 'wheels', name);
}

/** The unpacked wheel if it is already there and whole (by file sizes), without reaching for the network. Where there is no cache, it is not. */
export async function findWheel(request: Parameters<typeof wheelFolder>[0]): Promise<FetchedWheel | undefined> {
  const folder = placeOf(request);
  if (folder === undefined) return undefined;
  const found = await inspectReadyFolder(folder, 'sizes');
  return found.state === 'whole' ? { folder, files: Object.keys(found.manifest.files) } : undefined;
}

function placeOf(request: Parameters<typeof wheelFolder>[0]): string | undefined {
  try {
    return wheelFolder(request);
  } catch (error) {
    if (error instanceof SetupProblem) return undefined;
    throw error;
  }
}

/**
 * Brings the wanted members of a pinned wheel into the cache, once, and returns where they are. The download is checked against
 * the pinned sha256 by pip, the unpacked files against a manifest on every later call; a half-finished or damaged folder is made
 * anew. The disk that it needs is said and checked beforehand.
 *
 * @throws SetupProblem for whatever the machine lacks (Python, pip, network, disk).
 */
export async function fetchWheel(request: WheelRequest): Promise<FetchedWheel> {
  const { log, scrutiny = 'sizes' } = request;
  const folder = wheelFolder(request);
  const manifest = await ensureReadyFolder(
    folder,
    async (temporary) => {
      const python = await findPython();
      const needed = request.bytes + request.unpackedBytes;
      log(
        `fetching ${request.package} ${request.version}: ${formatBytes(request.bytes)} to download, ` +
          `${formatBytes(request.unpackedBytes)} kept in ${folder}`,
      );
      await requireDisk(folder, needed, `${request.package} ${request.version}`);
      await mkdir(path.dirname(folder), { recursive: true });
      const download = await mkdtemp(`${temporary}-download-`);
      try {
        const wheel = await pipDownload(request, python, download, log);
        await unpack(python.command, wheel, temporary, request.members, request.executable ?? []);
      } finally {
        await rm(download, { recursive: true, force: true });
      }
      log(`${request.package} ${request.version}: unpacked`);
    },
    { log, scrutiny },
  );
  return { folder, files: Object.keys(manifest.files) };
}

/** Member rules as one regular expression, the same in JavaScript and Python. */
export function memberPattern(members: readonly string[]): string {
  const rules = members.map((member) => {
    const escaped = member.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '[^/]*');
    return member.endsWith('/') ? `${escaped}.*` : escaped;
  });
  return `^(?:${rules.join('|')})$`;
}

/**
 * Unpacks with Python's own zipfile, which needs no further dependency here: Python is there, since pip is. `extract` strips
 * `..` and absolute paths. Prints what it unpacked, one member a line; one rule without a match is an error, since a library that
 * is missing would otherwise be noticed much later.
 */
const UNPACK = `${endWithParent}
import re, sys, zipfile, json
wheel, target, rules, executable = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), re.compile(sys.argv[4])
unmatched = set(rules)
patterns = [(rule, re.compile(rule)) for rule in rules]
with zipfile.ZipFile(wheel) as archive:
    for info in archive.infolist():
        if info.is_dir():
            continue
        hits = [rule for rule, pattern in patterns if pattern.match(info.filename)]
        if not hits:
            continue
        unmatched.difference_update(hits)
        archive.extract(info, target)
        if executable.match(info.filename):
            print(info.filename)
if unmatched:
    sys.exit('no member matches ' + ', '.join(sorted(unmatched)))
`;

async function unpack(
  python: string,
  wheel: string,
  target: string,
  members: readonly string[],
  executable: readonly string[],
): Promise<void> {
  const rules = JSON.stringify(members.map((member) => memberPattern([member])));
  const never = '(?!)';
  const args = ['-E', '-c', UNPACK, wheel, target, rules, executable.length > 0 ? memberPattern(executable) : never];
  const { stdout } = await run(python, args, { maxBuffer: 1 << 24 });
  for (const name of stdout.split('\n').filter(Boolean)) await chmod(path.join(target, name), 0o755);
}
