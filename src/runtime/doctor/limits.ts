import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** What a control group (a container, a batch system, systemd) allows this process; absent where it sets no limit. */
export type GroupLimits = {
  /** Processors' worth of time, `1.5`. */
  readonly cores?: number;
  /** Bytes of memory. */
  readonly memory?: number;
};

/**
 * Reads the limits of the control groups that this process is in, of both versions: the smallest from its own group up to the root, since each
 * group is bound by those above it. Inside a container the groups are often mounted with the container's own as the root, which is then the
 * one that is read.
 *
 * @param root where the file system begins, for tests. @default '/'
 */
export async function readGroupLimits(root = '/'): Promise<GroupLimits> {
  const text = (name: string): Promise<string> => readFile(path.join(root, name), 'utf8').catch(() => '');
  const cores: number[] = [];
  const memory: number[] = [];
  for (const line of (await text('proc/self/cgroup')).trim().split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    const names = controllers.split(',');
    for (const folder of foldersUpwards(group)) {
      const read = (controller: string, name: string): Promise<string> =>
        text(path.join('sys/fs/cgroup', controller, folder, name));
      if (controllers === '') {
        const [quota, period] = (await read('', 'cpu.max')).trim().split(' ');
        add(cores, Number(quota) / Number(period));
        add(memory, Number(await read('', 'memory.max')));
      }
      if (names.includes('cpu'))
        add(cores, Number(await read('cpu', 'cpu.cfs_quota_us')) / Number(await read('cpu', 'cpu.cfs_period_us')));
      // Without a limit the first version says 2^63, less a page.
      if (names.includes('memory')) add(memory, Number(await read('memory', 'memory.limit_in_bytes')), 2 ** 62);
    }
  }
  return {
    ...(cores.length > 0 ? { cores: Math.min(...cores) } : {}),
    ...(memory.length > 0 ? { memory: Math.min(...memory) } : {}),
  };
}

/** What `ulimit` allows this process; absent where it sets no limit, or the system does not tell. */
export type ProcessLimits = {
  /** Bytes of addresses (`ulimit -v`), which memory takes many more of than it fills. */
  readonly addressSpace?: number;
};

/**
 * Reads the limits of this process.
 *
 * @param root where the file system begins, for tests. @default '/'
 */
export async function readProcessLimits(root = '/'): Promise<ProcessLimits> {
  const text = await readFile(path.join(root, 'proc/self/limits'), 'utf8').catch(() => '');
  const [, soft] = /^Max address space +(\d+)/m.exec(text) ?? [];
  return soft === undefined ? {} : { addressSpace: Number(soft) };
}

/** `max`, `-1` and what is not there are no limits. */
const add = (limits: number[], limit: number, above = Infinity): void => {
  if (limit > 0 && limit < above) limits.push(limit);
};

/** `/a/b` as `/a/b`, `/a`, `/`. */
const foldersUpwards = (group: string): string[] => {
  const folders: string[] = [];
  for (let at = path.posix.resolve('/', group); ; at = path.posix.dirname(at)) {
    folders.push(at);
    if (at === '/') return folders;
  }
};
