import { access, constants, stat } from 'node:fs/promises';
import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { cacheFolder } from '../../provision/cache.js';
import { formatBytes, freeDisk } from '../../provision/disk.js';
import { SetupProblem } from '../../provision/setup-problem.js';
import { readProcessor } from '../processor.js';
import type { Finding, Section } from './finding.js';
import { readGroupLimits } from './limits.js';

/** The most that the demo's processes hold at once, measured by `scripts/machines.mjs` (results/machines.json), rounded up. */
const DEMO_BYTES = 1.5e9;

/**
 * System, processor, cores, memory and disks.
 *
 * @param isSetUp whether native TensorFlow is in the cache already: then reading it is enough
 */
export async function lookAtMachine(isSetUp: boolean): Promise<Section> {
  const { model, cores, instructionSets, glibc } = await readProcessor();
  const limits = await readGroupLimits();
  return {
    title: 'Machine',
    findings: [
      {
        name: 'system',
        value: `${process.platform}-${process.arch}, ${glibc ? `glibc ${glibc}` : 'not the GNU C library'}`,
        state: 'fine',
      },
      lookAtCores(model, cores, availableParallelism(), limits.cores),
      instructionSets === undefined || instructionSets.includes('avx')
        ? { name: 'instructions', value: instructionSets?.join(' ') ?? 'not told by the system', state: 'fine' }
        : { name: 'instructions', value: 'no AVX', state: 'missing', remedy: 'run on a processor with AVX' },
      lookAtMemory(freemem(), totalmem(), limits.memory),
      await lookAtCache(isSetUp ? 'note' : 'missing'),
      await lookAtFolder('run folder', path.resolve('runs'), 'broken', 'give a run another folder with --work DIR'),
      await lookAtFolder('temporary', tmpdir(), 'note', 'set TMPDIR to a folder that can be written to'),
    ],
  };
}

/** `jobs` is what a run takes by itself; a quota below it makes threads wait for each other. */
export function lookAtCores(model: string, cores: number, jobs: number, quota: number | undefined): Finding {
  const told = [`${model}, ${cores} ${cores === 1 ? 'core' : 'cores'}`];
  if (jobs < cores) told.push(`${jobs} of them for this process`);
  if (quota !== undefined) told.push(`a control group allows the time of ${Number(quota.toFixed(2))}`);
  const value = told.join('; ');
  return quota !== undefined && quota < jobs
    ? { name: 'processor', value, state: 'note', remedy: `runs with --jobs ${Math.max(1, Math.floor(quota))}` }
    : { name: 'processor', value, state: 'fine' };
}

/** What there is, or what a control group leaves of it. */
export function lookAtMemory(free: number, total: number, limit: number | undefined): Finding {
  const bound = limit !== undefined && limit < total;
  const value = `${formatBytes(free)} free of ${formatBytes(total)}${bound ? `; a control group allows ${formatBytes(limit)}` : ''}`;
  const most = Math.min(total, limit ?? total);
  return most < DEMO_BYTES
    ? {
        name: 'memory',
        value,
        state: 'note',
        remedy: `${formatBytes(DEMO_BYTES)} hold the demo; with less, --jobs 1 needs least`,
      }
    : { name: 'memory', value, state: 'fine' };
}

async function lookAtCache(state: Finding['state']): Promise<Finding> {
  try {
    return await lookAtFolder('cache', cacheFolder(), state, 'set VIDEO_SSL_CACHE to a folder that can be written to');
  } catch (error) {
    if (!(error instanceof SetupProblem)) throw error;
    return { name: 'cache', value: error.message, state: 'missing', remedy: error.remedy };
  }
}

/** A folder that may not be there yet: the disk that it is on or will be, and whether it can be made and written to. */
async function lookAtFolder(name: string, folder: string, state: Finding['state'], remedy: string): Promise<Finding> {
  for (let at = folder; ; at = path.dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found === undefined && at !== path.dirname(at)) continue;
    const free = await freeDisk(folder).then(formatBytes, () => 'an unknown number of bytes');
    const value = `${folder}, ${free} free`;
    if (found?.isDirectory() && (await mayWrite(at))) return { name, value, state: 'fine' };
    return { name, value: `${value}; ${at === folder ? 'it' : at} cannot be written to`, state, remedy };
  }
}

const mayWrite = (folder: string): Promise<boolean> =>
  access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
