import { commandLine } from '../../pipeline/invocation.js';
import type { Section } from './finding.js';
import { remedyFor } from './remedy.js';
import { tryInProcess } from './try-in-process.js';

/**
 * The ffmpeg that a run would take, and that it runs.
 *
 * @param module address of the module that chooses it (`findFfmpeg`): of another room, and it imports a package that may be broken
 */
export async function lookAtFfmpeg(module: string): Promise<Section> {
  const title = 'Video';
  const tried = await tryInProcess(['ffmpeg', module]);
  if (!tried.ok) {
    const chosen = process.env['FFMPEG_PATH'] ? 'unset FFMPEG_PATH, or have it name an ffmpeg that runs' : undefined;
    const remedy = await remedyFor(tried.why, chosen);
    return { title, findings: [{ name: 'ffmpeg', value: `none: ${tried.why}`, state: 'broken', remedy }] };
  }
  const { version, source, path } = JSON.parse(tried.said) as { version: string; source: string; path: string };
  const value = `${version} (${source}: ${path}) runs`;
  return source === 'bundled'
    ? {
        title,
        findings: [
          {
            name: 'ffmpeg',
            value: `${value}; of 2018, without AV1 and VVC`,
            state: 'note',
            remedy: commandLine(['setup']),
          },
        ],
      }
    : { title, findings: [{ name: 'ffmpeg', value, state: 'fine' }] };
}
