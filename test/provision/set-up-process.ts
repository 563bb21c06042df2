import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fetchWheel, type WheelRequest } from '../../src/provision/fetch-wheel.js';
import { ensureLinkedFolder } from '../../src/provision/linked-folder.js';
import { ensureReadyFolder } from '../../src/provision/ready-folder.js';

// A set-up in a process of its own, so that tests can kill it: `folder ROOT` makes a ready folder with a folder of links beside it,
// `wheel REQUEST` fetches a wheel, `addon CACHE` compiles the addon into a cache, for the library that is in the usual one.
const [what, given] = process.argv.slice(2);
const log = (line: string): void => void process.stdout.write(`${line}\n`);

if (what === 'wheel') {
  await fetchWheel({ ...(JSON.parse(given!) as Omit<WheelRequest, 'log'>), log });
} else if (what === 'addon') {
  const { ensureAddon } = await import('../../src/runtime/addon.js');
  const { fetchLibtensorflow } = await import('../../src/runtime/fetch-libtensorflow.js');
  const { libtensorflowFor } = await import('../../src/runtime/libtensorflow.js');
  const { readProcessor } = await import('../../src/runtime/processor.js');
  const folder = await fetchLibtensorflow(libtensorflowFor(process.platform, process.arch)!, { log });
  await ensureAddon(folder, (await readProcessor()).glibc!, { log, cache: given! });
} else {
  const ready = path.join(given!, 'ready');
  await ensureReadyFolder(
    ready,
    async (temporary) => {
      await mkdir(path.join(temporary, 'sub'));
      await writeFile(path.join(temporary, 'sub', 'library'), 'content');
      await writeFile(path.join(temporary, 'tool'), 'a tool');
    },
    { log, scrutiny: 'hashes' },
  );
  const links = new Map([['library', path.join(ready, 'sub', 'library')]]);
  await ensureLinkedFolder(path.join(given!, 'linked'), links, { log });
}
