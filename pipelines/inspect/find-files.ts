import { hashOfFile } from '../../src/pipeline/durable-files.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { findVideos } from '../../src/video/find-videos.js';
import type { MinedItem, RunToInspect } from './read-run.js';

/** The words of a command as the run's ledger keeps it: bare, in single quotes, or in `$'…'` where there are control characters. */
export const wordsOf = (command: string): string[] =>
  [...command.matchAll(/(?:[^\s'\\$]|\$(?!')|\\.|\$?'(?:[^'\\]|\\.)*'|')+/g)].map(([word]) =>
    word.replace(/\$?'((?:[^'\\]|\\.)*)'|\\(.)/g, (_, quoted: string | undefined, escaped: string | undefined) =>
      quoted === undefined ? escaped! : quoted,
    ),
  );

/** What the command said after `--videos`. */
const videosOf = (command: string): string | undefined => {
  const words = wordsOf(command);
  const joined = words.find((word) => word.startsWith('--videos='));
  if (joined !== undefined) return joined.slice('--videos='.length);
  const at = words.indexOf('--videos');
  return at >= 0 ? words[at + 1] : undefined;
};

/** A video's file, or why there is none. */
export type FoundFile = { readonly file: string } | { readonly missing: string };

/**
 * Finds the files of mined videos: what the run rendered lies in its folder; others are looked for where `asked` says, else
 * where the run's own command did (from the present folder). A file counts only if its content is the one that was mined.
 *
 * @throws UsageError where `asked` leads nowhere
 */
export const fileFinder = async (
  run: Pick<RunToInspect, 'command' | 'rendered'>,
  asked: string | undefined,
): Promise<(item: Pick<MinedItem, 'label' | 'sha256'>) => Promise<FoundFile>> => {
  const source = asked ?? videosOf(run.command);
  const files = new Map<string, string>();
  let problem = 'the run names no folder of videos: give it with --videos DIR';
  if (source !== undefined) {
    problem = `no file of that name in ${source}: give the folder with --videos DIR`;
    try {
      for (const found of await findVideos(source)) if ('path' in found) files.set(found.label, found.path);
    } catch (error) {
      if (asked !== undefined || !(error instanceof UsageError)) throw error;
      problem = `the run's own folder of videos, ${source}, is not found from here: give it with --videos DIR`;
    }
  }
  return async ({ label, sha256 }) => {
    const own = run.rendered.get(sha256);
    if (own !== undefined) return { file: own };
    const file = files.get(label);
    if (file === undefined) return { missing: problem };
    const found = await hashOfFile(file).catch(() => undefined);
    if (found === sha256) return { file };
    return { missing: `${file} ${found === undefined ? 'cannot be read' : 'holds something else today'}` };
  };
};
