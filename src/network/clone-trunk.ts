import { RandomStream } from '../numeric/random.js';
import { buildTrunk } from './build-trunk.js';
import type { Trunk } from './trunk.js';

/** A network of its own with the weights and running statistics of another, which may be trained without changing that one. */
export function cloneTrunk(trunk: Trunk): Trunk {
  const { architecture, mean, std } = trunk;
  const values = new Map([...trunk.variables, ...trunk.buffers]);
  return buildTrunk(architecture, { random: RandomStream.of(0, 'clone'), values, mean, std });
}
