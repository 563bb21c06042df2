import { operationsOf, parametersOf } from './build-trunk.js';
import { pytorchCode } from './pytorch-code.js';
import { modelFiles, type ModelDescription } from './weights.js';

/** A figure of a transfer protocol, for the card's table. */
export type CardResult = {
  readonly dataset: string;
  readonly protocol: string;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly value: number;
  /** Mean of the untrained networks in the same column, where there are some. */
  readonly untrained?: number;
};

/** What a model card says beyond `model.json`. */
export type CardFacts = {
  /** `triplet, seed 1` */
  readonly name: string;
  /** What it is found by on a hub, beside the architecture. */
  readonly tags: readonly string[];
  /** A sentence: what the network was trained to do. */
  readonly summary: string;
  /** What it learned from; paragraphs. */
  readonly data: string;
  /** How it was trained, and what the losses came to; paragraphs and code. */
  readonly training: string;
  /** Figures of transfer; none says so. */
  readonly results: readonly CardResult[];
  /** The command behind the figures. */
  readonly command?: string;
  /** Where the card stands beside an export: its file and outputs. */
  readonly onnx?: { readonly file: string; readonly layers: readonly string[]; readonly input: string };
};

const section = (title: string, body: string): string => `## ${title}\n\n${body.trim()}\n`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const layersTable = (architecture: string): string =>
  table(
    ['layer', 'shape', 'px a cell'],
    operationsOf(architecture).flatMap((step) => {
      if (!('tap' in step)) return [];
      const { name, height, width, channels, stride } = step.tap;
      return [
        [`\`${name}\``, height === undefined ? `${channels}` : `${height} x ${width} x ${channels}`, `${stride ?? ''}`],
      ];
    }),
  );

const millions = (architecture: string): string => {
  const count = parametersOf(architecture)
    .filter(({ trainable }) => trainable)
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return (count / 1e6).toFixed(2);
};

const list = (values: readonly number[]): string => values.map((value) => String(Number(value.toFixed(6)))).join(', ');

const resultsOf = ({ results, command }: CardFacts): string => {
  if (results.length === 0) return 'None were measured on this network when the card was written.';
  const number = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(1));
  const rows = results.map(({ dataset, protocol, metric, higherIsBetter, value, untrained }) => [
    ...[dataset, protocol, `${metric} ${higherIsBetter ? '↑' : '↓'}`, number(value), number(untrained)],
  ]);
  return [
    'One network, without intervals; the run that measured it has them, and its controls. `untrained` is the mean of networks as drawn.',
    table(['target', 'protocol', 'metric', 'this network', 'untrained'], rows),
    ...(command === undefined ? [] : [`Measured by \`${command}\`.`]),
  ].join('\n\n');
};

const inPyTorch = (architecture: string): string => `\`\`\`python
${pytorchCode(architecture).trimEnd()}
\`\`\`

\`\`\`python
from torchvision.models.feature_extraction import create_feature_extractor

model = load("FOLDER")  # the folder with ${modelFiles.weights} and ${modelFiles.description}
embedding = model(images)  # images: [batch, 3, height, width], normalised as above
features = create_feature_extractor(model, {LAYERS["conv5"]: "conv5"})(images)["conv5"]
\`\`\``;

const inOnnxruntime = ({ file, layers, input }: NonNullable<CardFacts['onnx']>): string => `\`\`\`python
import onnxruntime

session = onnxruntime.InferenceSession(${JSON.stringify(file)})
${layers.join(', ')} = session.run(${JSON.stringify(layers)}, {"${input}": images})
\`\`\`

\`${input}\` is float32, \`[batch, 3, height, width]\`, RGB, normalised as above (also in the file's metadata). Maps come as \`[batch, channels, height, width]\`.`;

/**
 * A model card as model hubs take it: a head of YAML, then what the network is, what goes in and comes out, what it learned from and
 * how, what it is worth, and how it is loaded. The same for the same facts: no dates, no paths. Markdown.
 */
export const modelCard = (
  { architecture, inputSize, mean, std, sha256 }: ModelDescription,
  facts: CardFacts,
): string => {
  const { name, tags, summary, data, training, onnx } = facts;
  const head = [
    '---',
    'license: other',
    'license_name: that-of-the-training-data',
    `library_name: ${onnx ? 'onnx' : 'pytorch'}`,
    'pipeline_tag: image-feature-extraction',
    'tags:',
    ...[...tags, 'video-ssl', architecture].map((tag) => `  - ${tag}`),
    '---',
  ].join('\n');
  const parts = [
    `${head}\n`,
    `# ${architecture}: ${name}\n`,
    `Visual features, written by video-ssl. ${summary.trim()}\n`,
    section(
      'Input',
      `RGB pictures of ${inputSize} x ${inputSize} px, normalised as \`(pixel / 255 - mean) / std\` with mean \`${list(mean)}\` and std \`${list(std)}\`. ` +
        'Spatial layers also take pictures of other sizes in PyTorch.',
    ),
    section(
      'Layers',
      `${millions(architecture)} million parameters; shapes are height x width x channels; \`embedding\` has length 1.\n\n${layersTable(architecture)}`,
    ),
    section(cardSections.data, data),
    section('Training', training),
    section('Results', resultsOf(facts)),
    section(
      'Intended use and limits',
      'Research on visual features: reading them frozen or fine-tuning on a task of your own. Not for decisions about people. What the training ' +
        'data show too often, too seldom or not at all shows in the features; nobody has looked for that here.',
    ),
    section(
      'Licence',
      'The code that made it is Apache-2.0. What may be done with the weights depends on the data they were learned from, whose terms this card does not know.',
    ),
    ...(onnx ? [section('In onnxruntime', inOnnxruntime(onnx))] : []),
    section(
      'In PyTorch',
      `${onnx ? 'From the folder that the file was exported from:\n\n' : ''}${inPyTorch(architecture)}`,
    ),
    `sha256 of the weights: \`${sha256}\`\n`,
  ];
  return parts.join('\n');
};

/** Headings that are looked up again in a card. */
export const cardSections = { data: 'Training data' } as const;

/** What a card says under a heading; undefined where it has none. */
export const sectionOfCard = (card: string, title: string): string | undefined => {
  const start = card.indexOf(`\n## ${title}\n`);
  if (start < 0) return undefined;
  const body = card.slice(start + title.length + 5);
  const end = body.indexOf('\n## ');
  return (end < 0 ? body : body.slice(0, end)).trim();
};
