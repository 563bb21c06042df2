import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SetupProblem } from './setup-problem.js';

const run = promisify(execFile);

/**
 * Begins a Python program that ends with the process that started it and holds the other end of its standard input: a set-up that is killed
 * leaves no pip that downloads on behind its back. `os.read` and not `sys.stdin`, whose lock a thread must not hold when Python ends.
 */
export const endWithParent = `
import os, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
`;

const unset = 'unset PYTHON, or have it name a Python 3 with pip';

/** A Python that has pip. */
export type PythonWithPip = { readonly command: string; readonly python: string; readonly pip: string };

/** Older ones hold what a wheel asks of Python against the one they run in. */
const oldestPip = 20;

/**
 * Finds a Python 3 with pip: `PYTHON` if set, else `python3`, else `python`. Its version does not matter further: wheels are fetched for
 * the version that they were built for, and never imported. It is started with `-E`: a `PYTHONHOME` that is meant for another Python keeps
 * this one from starting.
 *
 * @throws SetupProblem if there is none, saying whether Python 3 or only pip is missing or too old, or that `PYTHON` leads nowhere
 */
export async function findPython(env: NodeJS.ProcessEnv = process.env): Promise<PythonWithPip> {
  const named = env['PYTHON'];
  const candidates = named ? [named] : ['python3', 'python'];
  let without: string | undefined;
  let old: string | undefined;
  let oldPip: { readonly command: string; readonly what: string } | undefined;
  for (const command of candidates) {
    try {
      const python = (
        await run(command, ['-E', '-c', 'import platform; print(platform.python_version())'], { env })
      ).stdout.trim();
      if (python.startsWith('2.')) {
        old ??= `${command} is Python ${python}`;
        continue;
      }
      without ??= `${command} (${python})`;
      const { stdout } = await run(command, ['-E', '-m', 'pip', '--version'], { env });
      const pip = /^pip (\S+)/.exec(stdout)?.[1] ?? 'unknown';
      if (Number.parseInt(pip) < oldestPip) {
        oldPip ??= { command, what: `${command} (${python}) has pip ${pip}` };
        continue;
      }
      return { command, python, pip };
    } catch {
      // Not there, or without pip: the next candidate may do.
    }
  }
  if (oldPip !== undefined)
    throw new SetupProblem(
      `${oldPip.what}, which fetches no libraries for another Python than its own.`,
      `${oldPip.command} -m pip install --upgrade pip`,
    );
  if (without !== undefined)
    throw new SetupProblem(
      `${without} has no pip, which fetches the libraries.`,
      named ? unset : 'apt-get install python3-pip (or: python3 -m ensurepip)',
    );
  throw new SetupProblem(
    `No Python ${old === undefined ? '' : '3 '}was found (looked for ${candidates.join(', ')}${old === undefined ? '' : `; ${old}`}); its pip fetches the libraries.`,
    named ? unset : 'apt-get install python3 python3-pip',
  );
}
