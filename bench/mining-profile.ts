import { Session, type Profiler } from 'node:inspector/promises';

/** Samples outside of any call: the main thread waits. */
const WAITING = '(idle)';

/**
 * The part of the project that a sample belongs to: the source file of the innermost function of `src/` on the stack, so that what OpenCV
 * and kernels in WebAssembly take counts for who called them; `node` where there is none.
 */
const partOf = (leaf: Profiler.ProfileNode, parents: ReadonlyMap<number, Profiler.ProfileNode>): string => {
  if (leaf.callFrame.functionName === '(garbage collector)') return 'garbage collection';
  for (let node: Profiler.ProfileNode | undefined = leaf; node !== undefined; node = parents.get(node.id)) {
    const [, file] = /\/src\/(.+)\.js$/.exec(node.callFrame.url) ?? [];
    if (file !== undefined) return `${file}.ts`;
  }
  return 'node';
};

/** Shares of the main thread's busy time by part, of the samples of a profile. */
const sharesOf = ({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Record<string, number> => {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)));
  const time = new Map<string, number>();
  let busy = 0;
  samples.forEach((id, i) => {
    const leaf = byId.get(id)!;
    if (leaf.callFrame.functionName === WAITING) return;
    const part = partOf(leaf, parents);
    time.set(part, (time.get(part) ?? 0) + timeDeltas[i]);
    busy += timeDeltas[i];
  });
  return Object.fromEntries([...time].map(([part, value]) => [part, value / busy]));
};

/** Runs work under V8's sampling profiler; what it gives, and the shares of time by source file. Costs a few per cent. */
export const profiled = async <T>(work: () => Promise<T>): Promise<{ value: T; shares: Record<string, number> }> => {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    const value = await work();
    const { profile } = await session.post('Profiler.stop');
    return { value, shares: sharesOf(profile) };
  } finally {
    session.disconnect();
  }
};
