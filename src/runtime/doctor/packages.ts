import type { Finding, Section } from './finding.js';
import { remedyFor } from './remedy.js';
import { tryInProcess } from './try-in-process.js';

/** Packages that carry a library of their own for this kind of machine, and what each is for. */
const NEEDED = [
  ['sharp', 'pictures'],
  ['libsql', 'ledger'],
  ['opencv-wasm', 'optical flow'],
] as const;

/** Whether the packages that every run needs load, each tried in a process of its own. */
export async function lookAtPackages(): Promise<Section> {
  const findings: Finding[] = [];
  for (const [name, use] of NEEDED) {
    const tried = await tryInProcess([name]);
    findings.push(
      tried.ok
        ? { name: use, value: tried.said, state: 'fine' }
        : {
            name: use,
            value: `${name} (${use}) does not load: ${tried.why}`,
            state: 'broken',
            remedy: await remedyFor(tried.why),
          },
    );
  }
  return { title: 'Packages', findings };
}
