import { findingsIn, type Finding, type Section, type Verdict } from './finding.js';

/** What can run with these findings, and the one command that mends the rest. */
export function giveVerdict(sections: readonly Section[], setup: string): Verdict {
  const broken = findingsIn(sections, 'broken');
  if (broken.length > 0)
    return { runs: 'nothing', says: `Nothing runs here before ${namesOf(broken)} is mended.`, remedy: mendAll(broken) };
  const missing = findingsIn(sections, 'missing');
  if (missing.length > 0)
    return {
      runs: 'wasm',
      says: `All runs here, but slowly, with wasm: native TensorFlow lacks ${namesOf(missing)}.`,
      remedy: mendAll(missing),
    };
  const loads = sections.some(({ findings }) =>
    findings.some(({ name, state }) => name === 'loads' && state === 'fine'),
  );
  if (loads) return { runs: 'native', says: 'All is here: native TensorFlow runs.' };
  return { runs: 'set-up', says: 'All that set-up needs is here; the first run starts it.', remedy: setup };
}

const namesOf = (findings: readonly Finding[]): string => findings.map(({ name }) => name).join(' and ');

/** Remedies as one line; those that install packages of the system become one command. */
function mendAll(findings: readonly Finding[]): string {
  const remedies = [...new Set(findings.map(({ remedy }) => remedy ?? ''))].filter(Boolean);
  const install = /^apt-get install ([\w+.\s-]+)/;
  const packages = remedies.flatMap((remedy) => install.exec(remedy)?.[1]?.trim().split(/\s+/) ?? []);
  const others = remedies.filter((remedy) => !install.test(remedy));
  const all = packages.length > 0 ? [`apt-get install ${[...new Set(packages)].join(' ')}`, ...others] : others;
  return all.join('; and ');
}
