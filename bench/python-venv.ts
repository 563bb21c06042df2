import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../src/provision/cache.js';

/** What is installed once into a virtual environment of Python. */
export type VenvStep = {
  /** Arguments of `pip install`, one call each: names of packages, and options. */
  readonly installs: readonly (readonly string[])[];
  /** Empty file in the environment's folder that says the step is done. @default 'ready' */
  readonly marker?: string;
};

/**
 * The Python of a virtual environment in the cache folder, for what this project is measured beside; what is missing of it is
 * made first, step by step, each step once. Several benches share an environment where they name the same folder: one that needs
 * more adds a step with a marker of its own, and the first step must be the same for all.
 *
 * @param name of the folder, `bench-torch`
 * @returns path of its `python`
 * @throws what `python3 -m venv` or `pip` say; the step is then done again the next time
 */
export const pythonVenv = async (name: string, ...steps: readonly VenvStep[]): Promise<string> => {
  const folder = path.join(cacheFolder(), name);
  const python = path.join(folder, 'bin', 'python');
  const run = promisify(execFile);
  for (const { installs, marker = 'ready' } of steps) {
    const done = path.join(folder, marker);
    if (existsSync(done)) continue;
    const packages = installs.flat().filter((word) => !word.startsWith('-'));
    console.log(`Installing ${packages.join(', ')} into ${folder} (once) …`);
    if (!existsSync(path.join(folder, 'bin', 'pip'))) await run('python3', ['-m', 'venv', folder]);
    for (const what of installs)
      await run(python, ['-m', 'pip', 'install', '--quiet', ...what], { maxBuffer: 1 << 26 });
    await writeFile(done, '');
  }
  return python;
};

/** Of the benches beside scikit-learn: it and numpy. */
export const sklearnPython = (): Promise<string> =>
  pythonVenv('bench-sklearn', { installs: [['scikit-learn', 'numpy']] });

/** PyTorch, some GB: the first step of every bench that names `bench-torch`. */
export const torchStep: VenvStep = { installs: [['torch', 'numpy']] };

/** Of the bench of training: PyTorch and numpy. */
export const torchPython = (): Promise<string> => pythonVenv('bench-torch', torchStep);

/** torchvision beside PyTorch. */
export const torchvisionStep: VenvStep = { installs: [['torchvision']], marker: 'ready-torchvision' };

/** Of the tests of weights that others read: torchvision, safetensors, ONNX and its runtime. */
export const interchangePython = (): Promise<string> =>
  pythonVenv('bench-torch', torchStep, torchvisionStep, {
    installs: [['safetensors', 'onnx', 'onnxruntime']],
    marker: 'ready-interchange',
  });
