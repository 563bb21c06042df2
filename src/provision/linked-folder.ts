import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from './log.js';
import { ensureReadyFolder } from './ready-folder.js';

/**
 * Gives a folder of links to files and folders that lie elsewhere in the cache, laid out as a library looks for its companions: a
 * loader's search path is written into a library, and cannot be added to from a process that has started. Links are relative, so
 * that the cache can be moved as a whole. A link that is gone, or whose target is, has the folder made anew.
 *
 * @param folder named after all that decides its links
 * @param links what each path inside the folder points to, as absolute paths
 */
export async function ensureLinkedFolder(
  folder: string,
  links: ReadonlyMap<string, string>,
  { log }: { readonly log: Log },
): Promise<void> {
  await ensureReadyFolder(
    folder,
    async (temporary) => {
      for (const [name, target] of links) {
        const at = path.dirname(path.join(folder, name));
        const inside = path.join(temporary, name);
        await mkdir(path.dirname(inside), { recursive: true });
        await symlink(path.relative(at, target), inside);
      }
    },
    { log },
  );
}
