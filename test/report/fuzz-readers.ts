import { readFileSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson, sha256 } from '../../src/pipeline/canonical-json.js';
import { parseDecisions } from '../../src/report/inspect/logged-decision.js';
import { readFigures } from '../../src/report/read-figures.js';
import { decodeScores } from '../../src/transfer/statistics/encode-scores.js';
import { OUTSIDE, type FuzzedReader } from '../fuzzing/fuzzed-reader.js';

const words = [
  '"__proto__":',
  '1e999',
  '-1',
  'null',
  '[]',
  '{}',
  '[[[[',
  '"kind":"mean"',
  '"frame":-1',
  '"image":"../x.png"',
];
const deep = (open: string, close: string, inside = ''): string =>
  open.repeat(100_000) + inside + close.repeat(100_000);

const logs: FuzzedReader = {
  name: 'mining logs',
  samples: async () => [{ name: 'log', files: { 'd.jsonl': '{"kind":"step","frame":3,"outcome":"tracked","camera":{"noisePx":0.2},"boxes":[{"x":1,"y":1,"width":2,"height":2}],"groups":[{"points":4}]}\n{"kind":"track","frame":3,"window":0,"outcome":"pair"}\n' } }], // prettier-ignore
  dictionary: words,
  handMade: async () => [
    {
      name: 'a field without end',
      files: { 'd.jsonl': `{"kind":"step","frame":1,"outcome":"x","a":${deep('{"a":', '}', '1')}}` },
    },
    { name: 'a list without end', files: { 'd.jsonl': deep('[', ']') } },
    {
      name: 'a prototype',
      files: { 'd.jsonl': '{"kind":"step","frame":1,"outcome":"x","__proto__":{"a":{"b":1}}}' },
      expected: 'either',
    },
    { name: 'a line of 5 MB', files: { 'd.jsonl': 'x'.repeat(5_000_000) } },
  ],
  read: async (folder) => void parseDecisions(readFileSync(path.join(folder, 'd.jsonl'), 'utf8')),
};

const scores: FuzzedReader = {
  name: 'scores of test images',
  samples: async () => [
    { name: 'mean', files: { 's.json': '{"kind":"mean","values":[1,0,1],"groups":[0,0,1]}' } },
    { name: 'quantile', files: { 's.json': '{"kind":"quantile","q":0.5,"edges":[0,1,2],"counts":[[1,2],[-2]]}' } },
  ],
  dictionary: words,
  handMade: async () => [
    { name: 'null', files: { 's.json': 'null' } },
    { name: 'no JSON', files: { 's.json': '{' } },
    { name: 'a list without end', files: { 's.json': deep('[', ']') } },
    {
      name: 'zeros without bounds',
      files: { 's.json': '{"kind":"quantile","q":0.5,"edges":[0,1,2],"counts":[[-1e15]]}' },
    },
  ],
  read: async (folder) => void decodeScores(readFileSync(path.join(folder, 's.json'), 'utf8')),
};

const figure = (change: object = {}): string => {
  const data = { a: 1 };
  return JSON.stringify({
    kind: 'curves',
    title: 't',
    caption: 'c',
    data,
    sha256: sha256(canonicalJson(data, 'data')),
    ...change,
  });
};

const figures: FuzzedReader = {
  name: 'figures of a report',
  samples: async () => [
    { name: 'data', files: { 'f.figure.json': figure(), 'p.png': 'picture' }, changed: ['f.figure.json'] },
    {
      name: 'picture',
      files: {
        'f.figure.json': figure({ kind: 'contact-sheet', data: undefined, image: 'p.png', sha256: sha256('picture') }),
        'p.png': 'picture',
      },
    },
  ],
  dictionary: words,
  handMade: async () => {
    const image = { data: undefined, image: 'p.png', sha256: sha256('picture') };
    return [
      ...['../outside/p.png', '/etc/passwd', 'a/../../outside/p.png', '..\\p.png'].map((name) => ({
        name: `a picture in ${name}`,
        files: { 'f.figure.json': figure({ ...image, image: name }) },
      })),
      {
        name: 'a picture that is a link out',
        files: { 'f.figure.json': figure(image) },
        links: { 'p.png': `${OUTSIDE}/p.png` },
      },
      { name: 'a picture that is a pipe', files: { 'f.figure.json': figure(image) }, pipes: ['p.png'] },
      { name: 'a picture that is not there', files: { 'f.figure.json': figure(image) }, without: ['p.png'] },
      { name: 'data without end', files: { 'f.figure.json': figure().replace('{"a":1}', deep('[', ']')) } },
      { name: 'null', files: { 'f.figure.json': 'null' } },
      { name: 'no data', files: { 'f.figure.json': figure({ data: undefined }) } },
    ];
  },
  read: async (folder) => void (await readFigures([path.join(folder, 'f.figure.json')])),
};

/** What is read of a run folder for its reports. */
export const readers: readonly FuzzedReader[] = [logs, scores, figures];
