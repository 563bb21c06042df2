import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cardSections, modelCard, sectionOfCard, type CardFacts } from '../../src/network/model-card.js';
import type { ModelDescription } from '../../src/network/weights.js';
import type { Json } from '../../src/pipeline/json.js';
import { printable } from '../../src/pipeline/printable.js';
import type { TrainingSet } from '../rows/row.js';

/** The card beside the weights, as model hubs look for it. */
export const cardFile = 'README.md';

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** What a training set is, in a sentence. */
export const describeTrainingSet = (set: TrainingSet): string => {
  const { digest } = set.cache;
  const what =
    set.kind === 'pairs'
      ? `${plural(set.cache.keys.length, 'pair')} of patches from the two ends of tracks in ${plural(set.cache.videos.length, 'video')}, without labels`
      : `${plural(set.cache.count, 'picture')}, without labels`;
  return `${what} (digest \`${digest}\`).`;
};

type Fields = { readonly [key: string]: Json | undefined };

const fieldsOf = (json: Json): Fields =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Fields) : {};

const code = (text: string): string => `\`${printable(text).replaceAll('`', "'")}\``;

/** What the record of a training alone says. */
type OwnFacts = Pick<CardFacts, 'name' | 'tags' | 'summary' | 'training'>;

/** The last line of the curve that training left in the folder, in words. */
const readLosses = async (folder: string): Promise<string | undefined> => {
  const text = await readFile(path.join(folder, 'history.json'), 'utf8').catch(() => '[]');
  const last = (JSON.parse(text) as { step: number; loss: number; uniform?: number }[]).at(-1);
  if (last === undefined) return undefined;
  const chance =
    last.uniform === undefined ? '' : ` (a network that tells nothing apart has ${last.uniform.toFixed(4)})`;
  return `Loss at step ${last.step}: ${last.loss.toFixed(4)}${chance}.`;
};

const importedFacts = ({ source, leftOut, drawn }: Fields): OwnFacts => {
  const { file, sha256, format } = fieldsOf(source ?? null);
  const names = Object.entries(fieldsOf(leftOut ?? null));
  const counters = names.filter(([, reason]) => reason === 'a counter of batches').length;
  const left = names.filter(([, reason]) => reason !== 'a counter of batches');
  const layers = (drawn ?? []) as readonly string[];
  return {
    tags: [],
    name: `taken over from ${code(String(file))}`,
    summary: 'Not trained here: the arrays are those of a file from elsewhere.',
    training: [
      `Of the file ${code(String(file))} (${String(format)}, sha256 \`${String(sha256)}\`) everything was taken but ` +
        `${left.map(([array, reason]) => `${code(array)} (${String(reason)})`).join(', ') || 'nothing'}${counters > 0 ? ` and ${plural(counters, 'counter')} of batches` : ''}.`,
      ...(layers.length > 0
        ? [
            `**${layers.map(code).join(' and ')} were drawn at random**: the embedding has learned nothing. Read the layers before it.`,
          ]
        : []),
    ].join('\n\n'),
  };
};

const trainedFacts = async (folder: string, how: Fields): Promise<OwnFacts> => {
  const { method, seed, summary, steps, params, own, from } = how;
  if (typeof method !== 'string') {
    return {
      tags: [],
      name: 'of unknown origin',
      summary: 'How it was trained is not on record.',
      training: 'Not on record.',
    };
  }
  const losses = await readLosses(folder);
  const settings = { ...fieldsOf(params ?? null), [method]: own ?? null };
  return {
    tags: steps === 0 ? [] : ['self-supervised-learning'],
    name: `${printable(method)}, seed ${String(seed)}`,
    summary: `Method: ${printable(String(summary))}.`,
    training: [
      steps === 0 ? 'Not trained: weights as drawn.' : `${String(steps)} steps. ${losses ?? ''}`.trim(),
      ...(typeof from === 'string' ? [`It began with the weights of sha256 ${code(from)}.`] : []),
      ...(steps === 0 ? [] : [`\`\`\`json\n${JSON.stringify(settings, null, 2)}\n\`\`\``]),
    ].join('\n\n'),
  };
};

/**
 * What a model folder tells of itself: `model.json` says how it was trained, `history.json` beside it what the loss came to, and an
 * earlier card what it learned from, unless `data` says it.
 */
export const cardFactsOf = async (
  folder: string,
  { how }: ModelDescription,
  { data, ...more }: Partial<Pick<CardFacts, 'data' | 'results' | 'command' | 'onnx'>> = {},
): Promise<CardFacts> => {
  const fields = fieldsOf(how);
  const facts = fields['method'] === 'imported' ? importedFacts(fields) : await trainedFacts(folder, fields);
  const before = await readFile(path.join(folder, cardFile), 'utf8').catch(() => '');
  return { ...facts, results: [], ...more, data: data ?? sectionOfCard(before, cardSections.data) ?? 'Not on record.' };
};

/** Writes the card of a model folder into it. */
export const writeModelCard = async (
  folder: string,
  description: ModelDescription,
  more: Parameters<typeof cardFactsOf>[2] = {},
): Promise<void> =>
  writeFile(path.join(folder, cardFile), modelCard(description, await cardFactsOf(folder, description, more)));
