import type { NamedArrays } from '../training/method.js';
import type { Encoder } from './encoder.js';
import type { MemoryBank } from './memory-bank.js';
import type { InstanceDiscrimination } from './npid/instance-discrimination.js';

/** What a method that compares with a memory bank keeps between steps: the network before it, its rows, and Z. */
export type BankState = {
  readonly encoder: Encoder;
  readonly bank: MemoryBank;
  readonly instances: InstanceDiscrimination;
};

/** All of it that is no trained variable, for the train state: `bank`, `normaliser`, `projector/…`. */
export const saveBank = ({ encoder, bank, instances }: BankState): NamedArrays => ({
  bank: bank.save(),
  ...instances.save(),
  ...encoder.save(),
});

/**
 * Takes what {@link saveBank} gave out of a train state.
 *
 * @throws if a part is missing or has another shape
 */
export const loadBank = ({ encoder, bank, instances }: BankState, arrays: NamedArrays): void => {
  if (!arrays['bank']) throw new Error('Expected `bank` in the state, got none');
  bank.load(arrays['bank']);
  instances.load(arrays);
  encoder.load(arrays);
};
