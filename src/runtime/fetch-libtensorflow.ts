import { createHash } from 'node:crypto';
import path from 'node:path';
import { cacheFolder } from '../provision/cache.js';
import { formatBytes, requireDisk } from '../provision/disk.js';
import { fetchWheel, findWheel, type FetchedWheel } from '../provision/fetch-wheel.js';
import { ensureLinkedFolder } from '../provision/linked-folder.js';
import type { Log } from '../provision/log.js';
import type { Scrutiny } from '../provision/ready-folder.js';
import { sizeOf, type Libtensorflow } from './libtensorflow.js';

/** Where TensorFlow's framework half looks for all but one of its companions, beside the folder `tensorflow` that it lies in. */
const SEARCHED = 'nvidia/cublas/lib';

/**
 * Brings a TensorFlow library into the cache and returns the folder that holds `tensorflow/libtensorflow_cc.so.2` and
 * `tensorflow/include`. Each wheel has a folder of its own, so that what broke off goes on with the wheel that it had come to, and
 * builds stand side by side.
 *
 * A library with companions is a folder of links: TensorFlow opens them by name, along the search path that its wheel was built
 * with. That path lacks cuSOLVER's folder (2.21.0: only the half that does not open it names it), without which TensorFlow
 * passes the GPU over in silence. So all companions are linked into one folder that is on the path; they find each other there.
 *
 * @throws SetupProblem for whatever the machine lacks (Python, pip, network, disk)
 */
export async function fetchLibtensorflow(
  library: Libtensorflow,
  {
    log,
    scrutiny,
    cache = cacheFolder(),
  }: { readonly log: Log; readonly scrutiny?: Scrutiny; readonly cache?: string },
): Promise<string> {
  const request = { log, cache, ...(scrutiny ? { scrutiny } : {}) };
  const wheels = [library.tensorflow, ...library.companions];
  await requireRoom(library, log, cache);
  const fetched: FetchedWheel[] = [];
  for (const wheel of wheels) fetched.push(await fetchWheel({ ...wheel, ...request }));
  if (library.companions.length === 0) return fetched[0]!.folder;
  const folder = linkedFolder(library, fetched, cache);
  await ensureLinkedFolder(folder, linksOf(fetched), { log });
  return folder;
}

/** Whether all wheels of a library lie in the cache, whole by their sizes. Reaches for no network. */
export async function isLibtensorflowFetched(library: Libtensorflow, cache = cacheFolder()): Promise<boolean> {
  return (await missingWheels(library, cache)).length === 0;
}

async function missingWheels(library: Libtensorflow, cache: string): Promise<Libtensorflow['companions']> {
  const missing = [];
  for (const wheel of [library.tensorflow, ...library.companions])
    if (!(await findWheel({ ...wheel, cache }))) missing.push(wheel);
  return missing;
}

/** Says what several wheels come to, and refuses before the first where the disk could not hold the last. */
async function requireRoom(library: Libtensorflow, log: Log, cache: string): Promise<void> {
  if (library.companions.length === 0) return;
  const missing = await missingWheels(library, cache);
  if (missing.length === 0) return;
  const [tensorflow, ...companions] = missing as [(typeof missing)[number], ...typeof missing];
  const { download, kept } = sizeOf({ ...library, tensorflow, companions });
  const what = `TensorFlow ${library.version} for ${library.build === 'cuda' ? 'CUDA' : 'the CPU'}`;
  log(`${what}: ${missing.length} wheels, ${formatBytes(download)} to download, ${formatBytes(kept)} kept`);
  const largest = Math.max(...missing.map(({ bytes }) => bytes));
  await requireDisk(cache, kept + largest, what);
}

function linkedFolder(library: Libtensorflow, fetched: readonly FetchedWheel[], cache: string): string {
  const key = createHash('sha256').update(
    JSON.stringify([SEARCHED, fetched.map(({ folder }) => path.basename(folder))]),
  );
  return path.join(
    cache,
    'libraries',
    `tensorflow-${library.build}-${library.version}-${key.digest('hex').slice(0, 12)}`,
  );
}

/** TensorFlow's own two libraries and headers as in their wheel, and all other libraries in one folder. */
function linksOf([tensorflow, ...companions]: readonly FetchedWheel[]): Map<string, string> {
  const links = new Map<string, string>();
  for (const { folder, files } of companions)
    for (const file of files) links.set(`${SEARCHED}/${path.posix.basename(file)}`, path.join(folder, file));
  const own = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2', 'include'];
  for (const name of own) links.set(`tensorflow/${name}`, path.join(tensorflow!.folder, 'tensorflow', name));
  return links;
}
