import { RandomStream } from '../numeric/random.js';
import { buildTrunk } from './build-trunk.js';
import type { Trunk } from './trunk.js';

/** A network of its own with the weights and running statistics of another, which may be trained without changing that one. */
export function cloneTrunk(trunk: Trunk): Trunk {
  const { architecture, mean, std } = trunk;
  const clone = buildTrunk(architecture, { random: RandomStream.of(0, 'clone'), mean, std });
  for (const part of ['variables', 'buffers'] as const) {
    for (const [name, variable] of clone[part]) variable.assign(trunk[part].get(name)!);
  }
  return clone;
}
