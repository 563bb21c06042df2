import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where the control groups of this process's memory are: version 1 or 2; undefined where there are none to be written. */
const findGroup = () => {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  const first = lines
    .map((line) => line.split(':'))
    .find(([, controllers]) => controllers.split(',').includes('memory'));
  if (first) return { version: 1, folder: path.join('/sys/fs/cgroup/memory', first[2]) };
  const unified = lines.find((line) => line.startsWith('0::'));
  const folder = unified && path.join('/sys/fs/cgroup', unified.slice(3));
  return folder && existsSync(path.join(folder, 'memory.max')) ? { version: 2, folder } : undefined;
};

/**
 * A control group below the one that this process is in, in which a condition's commands run: it limits their memory, counts the most
 * that they held (without the page cache, which the kernel takes back), and is gone at the end. Undefined where there is none to be had.
 */
export const makeMemoryGroup = (limitBytes) => {
  try {
    const { version, folder: above } = findGroup();
    const folder = path.join(above, `video-ssl-machines-${process.pid}`);
    mkdirSync(folder);
    const file = (name) => path.join(folder, name);
    if (limitBytes) writeFileSync(file(version === 1 ? 'memory.limit_in_bytes' : 'memory.max'), String(limitBytes));
    let peak = 0;
    const line = version === 1 ? /^total_rss (\d+)/m : /^anon (\d+)/m;
    const timer = setInterval(() => {
      const [, bytes] = line.exec(readFileSync(file('memory.stat'), 'utf8')) ?? [];
      peak = Math.max(peak, Number(bytes ?? 0));
    }, 250);
    return {
      /** Runs a command within the group. */
      wrap: ['sh', '-c', `echo $$ > "${file('cgroup.procs')}" && exec "$@"`, 'sh'],
      /** Ends it; the most bytes that its processes held at once. */
      close: () => {
        clearInterval(timer);
        rmdirSync(folder);
        return peak;
      },
    };
  } catch {
    return undefined;
  }
};
