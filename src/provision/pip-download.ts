import { spawn } from 'node:child_process';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatBytes } from './disk.js';
import type { Log } from './log.js';
import { endWithParent, type PythonWithPip } from './python.js';
import { SetupProblem } from './setup-problem.js';

/** One wheel, pinned: pip refuses any file whose sha256 is another. */
export type WheelPin = {
  /** Its name on the package index, `tensorflow-cpu`. */
  readonly package: string;
  readonly version: string;
  /** Of the `.whl` file, in hex. */
  readonly sha256: string;
  /** The platform tag as in the wheel's file name: `manylinux_2_27_x86_64`. */
  readonly platform: string;
  /** For which Python it was built. Any does for a wheel tagged `py3`. @default '3.12' */
  readonly pythonVersion?: string;
  /** Size of the `.whl` file, for the progress lines and the disk check. */
  readonly bytes: number;
};

/**
 * Downloads one wheel into `folder` with pip, from whatever package index pip is set up to use, and returns the file's path.
 * pip's own temporary files stay in `folder` too, on the disk that was checked.
 *
 * @throws SetupProblem with the cause that pip names: no network, no such wheel, another hash, no space.
 */
export async function pipDownload(pin: WheelPin, python: PythonWithPip, folder: string, log: Log): Promise<string> {
  const scratch = path.join(folder, 'scratch');
  const target = path.join(folder, 'wheel');
  await mkdir(scratch, { recursive: true });
  const requirements = path.join(folder, 'requirements.txt');
  await writeFile(requirements, `${pin.package}==${pin.version} --hash=sha256:${pin.sha256}\n`);
  const flags = [
    '--no-deps',
    '--only-binary=:all:',
    '--require-hashes',
    '--no-cache-dir',
    '--no-input',
    '--progress-bar=off',
  ];
  const tags = ['--python-version', pin.pythonVersion ?? '3.12', '--implementation', 'cp', '--platform', pin.platform];
  const args = [
    '-E',
    '-c',
    pipProgram,
    '--disable-pip-version-check',
    'download',
    ...flags,
    ...tags,
    '-d',
    target,
    '-r',
    requirements,
  ];
  const stopProgress = reportProgress(folder, pin, log);
  try {
    const { code, output } = await runPip(python.command, args, pipEnvironment(process.env, scratch));
    if (code !== 0) throw explainPip(pin, output);
  } finally {
    stopProgress();
  }
  const wheel = (await readdir(target)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip reported success, but left no wheel of ${pin.package} in ${target}`);
  await rm(scratch, { recursive: true, force: true });
  return path.join(target, wheel);
}

/**
 * pip takes any of its options from the environment. Kept are those that say how its index is reached; the others are meant for installing
 * (a folder to install into, constraints, only inside a virtual environment) and keep a plain download from its work.
 */
export function pipEnvironment(env: NodeJS.ProcessEnv, scratch: string): NodeJS.ProcessEnv {
  const reach =
    /^PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CERT|CLIENT_CERT|PROXY|TRUSTED_HOST|(DEFAULT_)?TIMEOUT|RETRIES|CONFIG_FILE|KEYRING_PROVIDER)$/;
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('PIP_') || reach.test(name));
  return {
    ...Object.fromEntries(kept),
    // Also where a file of settings asks for one.
    PIP_REQUIRE_VIRTUALENV: '0',
    TMPDIR: scratch,
    // pip asks `rustc` for its version to tell it to its index; where that is rustup's, it makes a folder in the home for it.
    RUSTUP_HOME: scratch,
  };
}

/** pip as `python -m pip` runs it, but for its end. */
const pipProgram = `${endWithParent}
import runpy, sys
sys.argv[0] = 'pip'
runpy.run_module('pip', run_name='__main__', alter_sys=True)
`;

function runPip(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: 'pipe' });
    let output = '';
    const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-20_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    // A set-up that is interrupted must not leave pip downloading behind its back.
    const stop = (): void => void child.kill();
    process.once('exit', stop);
    child.once('error', reject);
    child.once('close', (code) => {
      process.removeListener('exit', stop);
      resolve({ code, output });
    });
  });
}

/** Says how much has come, from the size of what lies in `folder`: pip shows its own bar to terminals only. */
function reportProgress(folder: string, pin: WheelPin, log: Log): () => void {
  let said = 0;
  const timer = setInterval(() => {
    void folderBytes(folder).then((bytes) => {
      const percent = Math.min(99, Math.floor((100 * bytes) / pin.bytes));
      if (percent < said + 10) return;
      said = percent;
      log(`${pin.package} ${pin.version}: ${formatBytes(bytes)} of ${formatBytes(pin.bytes)} (${percent} %)`);
    });
  }, 500);
  return () => clearInterval(timer);
}

async function folderBytes(folder: string): Promise<number> {
  let total = 0;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries)
    if (entry.isFile())
      total += await stat(path.join(entry.parentPath, entry.name)).then(
        (found) => found.size,
        () => 0,
      );
  return total;
}

/** Turns pip's output into the one sentence that matters. Order counts: pip ends most failures with "no matching distribution". */
export function explainPip(pin: WheelPin, output: string): SetupProblem {
  const what = `${pin.package} ${pin.version}`;
  const cause = { cause: new Error(output.trim()) };
  if (/DO NOT MATCH THE HASHES/i.test(output))
    return new SetupProblem(
      `The package index served another file for ${what} than the one pinned here, so it was refused.`,
      'point pip at an index that serves the original file (pip config list shows which one is in use)',
      cause,
    );
  if (/No space left on device/i.test(output))
    return new SetupProblem(
      `The disk became full while ${what} was downloaded.`,
      'free some space, or set VIDEO_SSL_CACHE to a folder on a larger disk',
      cause,
    );
  if (
    /connection broken|Failed to establish a new connection|name resolution|Name or service not known|timed out|Network is unreachable|ProxyError|ConnectionError|Max retries/i.test(
      output,
    )
  )
    return new SetupProblem(
      `pip could not reach its package index to fetch ${what}.`,
      'connect to the network (or set pip up for a mirror: pip config set global.index-url URL)',
      { ...cause, thenSetUp: true },
    );
  if (/No matching distribution|Could not find a version/i.test(output))
    return new SetupProblem(
      `pip's package index has no wheel of ${what} for ${pin.platform}.`,
      'check that pip reaches a full mirror of PyPI: python3 -m pip config list',
      cause,
    );
  return new SetupProblem(`pip could not download ${what}: ${lastLine(output)}`, 'mend what pip names', {
    ...cause,
    thenSetUp: true,
  });
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? 'no output';
}
