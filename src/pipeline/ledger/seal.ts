import { canonicalJson, sha256 } from '../canonical-json.js';
import type { StoredItem } from './ledger.js';

/** What of a verdict decides what is made of it. */
type Sealed = Omit<StoredItem, 'seconds' | 'executions' | 'seal'>;

/**
 * sha256 over a verdict and its files, kept beside it: a row that was changed since (a bit of the disk, a person) is told. SQLite sees
 * only what is torn. It is no signature: who changes a row on purpose can seal it anew.
 */
export const sealOf = ({
  key,
  stage,
  recipe,
  content,
  label,
  status,
  reason,
  data,
  notes,
  artefacts,
}: Sealed): string =>
  sha256(
    canonicalJson([
      ...[key, stage, recipe, content, label, status, reason ?? null, data, notes],
      [...artefacts]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, path, bytes, sha256: hash, volatile }) => [name, path, bytes, hash, volatile]),
    ]),
  );

/** Whether a verdict is as it was recorded, as far as that can be told: rows from before version 3 of the ledger have no seal. */
export const isAsSealed = (item: Omit<StoredItem, 'seconds' | 'executions'>): boolean =>
  item.seal == null || item.seal === sealOf(item);
