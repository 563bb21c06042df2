import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../../src/numeric/random.js';
import { OUTSIDE, type CaseFiles, type FuzzedReader, type HandMade, type Sample } from './fuzzed-reader.js';
import { changeNames, mutate } from './mutate.js';

/** From so many mutants on, cases that are slow are among those made by hand. */
export const manyMutants = 100;

/** A case as it is laid out. */
export type Case = HandMade & { readonly files: CaseFiles };

/** The cases of a reader: its samples as they are, those made by hand, and `count` random mutants. */
export const casesOf = async (reader: FuzzedReader, count: number, seed: number): Promise<readonly (() => Case)[]> => {
  const samples = await reader.samples();
  const [first] = samples as readonly [Sample, ...Sample[]];
  const whole = samples.map(({ name, files }) => (): Case => ({ name: `sample ${name}`, files, expected: 'read' }));
  const chosen = (await reader.handMade()).filter(({ slow }) => count >= manyMutants || !slow);
  const handMade = chosen.map((made) => (): Case => {
    const gone = new Set([...(made.without ?? []), ...Object.keys({ ...made.links, ...made.holes })]);
    for (const pipe of made.pipes ?? []) gone.add(pipe);
    const files = Object.entries({ ...first.files, ...made.files }).filter(([name]) => !gone.has(name));
    return { ...made, files: Object.fromEntries(files) };
  });
  const random = Array.from({ length: count }, (_, i) => (): Case => mutantOf(reader, samples, i, seed));
  return [...whole, ...handMade, ...random];
};

const mutantOf = (reader: FuzzedReader, samples: readonly Sample[], i: number, seed: number): Case => {
  const stream = RandomStream.of(seed, 'fuzz', reader.name, i);
  const change = changeNames[i % changeNames.length]!;
  const sample = samples[stream.integer(samples.length)]!;
  const names = sample.changed ?? Object.keys(sample.files);
  const name = names[stream.integer(names.length)]!;
  const other = samples[stream.integer(samples.length)]!;
  const others = Object.values(other.files);
  const piece = bytesOf(others[stream.integer(others.length)]!);
  const changed = mutate(bytesOf(sample.files[name]!), change, stream, reader.dictionary, piece);
  const files = { ...sample.files, [name]: changed };
  return { name: `mutant ${i} of ${name} (${change})`, files: reader.seal?.(files) ?? files, expected: 'either' };
};

const bytesOf = (content: Uint8Array | string): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : content;

/** Lays a case out in an empty folder. */
export const layOut = (made: Case, folder: string, outside: string): void => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    return file;
  };
  for (const [name, content] of Object.entries(made.files)) writeFileSync(at(name), content);
  for (const [name, target] of Object.entries(made.links ?? {}))
    symlinkSync(target.replace(OUTSIDE, outside), at(name));
  for (const name of made.pipes ?? []) execFileSync('mkfifo', [at(name)]);
  for (const [name, size] of Object.entries(made.holes ?? {})) {
    writeFileSync(at(name), '');
    truncateSync(at(name), size);
  }
};
