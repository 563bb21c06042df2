import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { modelCard } from '../../src/network/model-card.js';
import { exportOnnx, onnxInput } from '../../src/network/onnx/export-onnx.js';
import { readModel } from '../../src/network/weights.js';
import { writeDurably } from '../../src/pipeline/durable-files.js';
import type { SideCommand } from '../../src/pipeline/side-command.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { cardFactsOf } from '../benchmark/network-card.js';
import { checkPath } from '../benchmark/target-folders.js';
import { findResults } from './find-results.js';

const usualLayers = 'conv5,fc,embedding';

const asked = (flag: string, value: string | undefined): string => {
  if (value !== undefined && value.trim() !== '') return value;
  throw new UsageError(
    `Expected --${flag} to be given, got ${value === undefined ? 'nothing' : JSON.stringify(value)}`,
  );
};

/** `export`: a network as an ONNX file, with a model card beside it. */
export const exportCommand: SideCommand = {
  name: 'export',
  summary: 'write a network as an ONNX file for other programs, and a model card beside it',
  options: [
    { flag: '--weights', value: 'FOLDER', help: 'the network: a folder with model.json and weights.safetensors' },
    { flag: '--to', value: 'FILE.onnx', help: 'the file to write; the card is FILE.md' },
    { flag: '--layers', value: 'a,b', help: `the outputs (default: ${usualLayers})` },
  ],
  run: async (options, say) => {
    const folder = asked('weights', options['weights']);
    checkPath('--weights', folder);
    const to = asked('to', options['to']);
    if (path.extname(to) !== '.onnx')
      throw new UsageError(`Expected --to to name a file that ends in .onnx, got \`${to}\``);
    const layers = (options['layers'] ?? usualLayers).split(',').map((name) => name.trim());
    const model = await readModel(folder).catch((error: Error) => {
      throw new UsageError(`--weights: ${error.message}`);
    });
    let bytes: Uint8Array;
    try {
      bytes = exportOnnx(model, layers);
    } catch (error) {
      if (error instanceof RangeError) throw new UsageError(`--layers: ${error.message}`);
      throw error;
    }
    const { description } = model;
    const card = modelCard(
      description,
      await cardFactsOf(folder, description, {
        ...findResults(folder, description.sha256),
        onnx: { file: path.basename(to), layers, input: onnxInput },
      }),
    );
    await mkdir(path.dirname(path.resolve(to)), { recursive: true });
    writeDurably(to, bytes);
    const beside = `${to.slice(0, -'.onnx'.length)}.md`;
    writeDurably(beside, card);
    say(
      `${path.relative('', to)}: ${description.architecture}, ${(bytes.length / 1e6).toFixed(1)} MB, outputs ${layers.join(', ')}`,
    );
    say(`${path.relative('', beside)}: model card`);
  },
};
