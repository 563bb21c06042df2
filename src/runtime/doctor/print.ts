import { homedir } from 'node:os';
import type { Diagnosis } from './finding.js';

const MARKS = { fine: ' ', note: '!', missing: '✗', broken: '✗' } as const;

/**
 * The diagnosis as lines for a terminal: what is missing is marked with `✗` and its remedy, what is worth knowing with `!`; the verdict is
 * the last line. The home folder, whose path tells a person's name, is shown as `~`, so that all can be pasted into an issue.
 */
export function formatDiagnosis({ sections, verdict }: Diagnosis, home = homeOrNone()): string[] {
  const lines = sections.flatMap(({ title, findings }) => [
    title,
    ...findings.flatMap(({ name, value, state, remedy }) => [
      `${MARKS[state]} ${name.padEnd(13)}${value}`,
      ...(remedy === undefined ? [] : [`  ${' '.repeat(13)}to mend it: ${remedy}`]),
    ]),
  ]);
  const { says, remedy } = verdict;
  return [...lines, remedy === undefined ? says : `${says} To mend it: ${remedy}`].map((line) =>
    withoutHome(line, home),
  );
}

/** The same for programs, as JSON: `healthy`, `verdict`, and the sections with their findings. */
export function diagnosisJson(diagnosis: Diagnosis, home = homeOrNone()): string {
  return JSON.stringify(
    diagnosis,
    (_, value: unknown) => (typeof value === 'string' ? withoutHome(value, home) : value),
    2,
  );
}

/** @param home its path; a home that is the root, or none, is no name to hide */
function withoutHome(text: string, home: string): string {
  if (home.length < 2) return text;
  const at = home.replace(/\/+$/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`${at}(?=$|[/\\\\\\s,;:)])`, 'g'), '~');
}

function homeOrNone(): string {
  try {
    return homedir();
  } catch {
    return ''; // a user without an entry in the system's list, and no HOME
  }
}
