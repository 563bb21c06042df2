import { createHash, type Hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { onnxLimitBytes } from '../../network/onnx/onnx-proto.js';
import { readOnnxSignature, type DeclaredValue } from '../../network/onnx/onnx-signature.js';
import { hashForeignFile, readForeignFile, stayInside } from '../../pipeline/foreign-file.js';
import { parseForeignJson } from '../../pipeline/parse-json.js';
import { printable } from '../../pipeline/printable.js';
import { UsageError } from '../../pipeline/usage-error.js';

/** An image encoder in ONNX, and how its pictures and features are to be taken. */
export type EncoderFile = {
  /** Absolute path. */
  readonly file: string;
  /** sha256 over the file, those that its weights lie in, and the settings below. */
  readonly digest: string;
  readonly input: string;
  /** Pictures a pass, where the file fixes it. */
  readonly batch?: number;
  /** Side of its pictures, px. */
  readonly inputSize: number;
  /** Of RGB scaled to 0-1. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly output: string;
  /** Whether the output is a map `[batch, channels, height, width]`, not a row `[batch, channels]`. */
  readonly isMap: boolean;
};

const colour = z.tuple([z.number(), z.number(), z.number()]);
const deviation = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]);

/** Longest side of a picture, px. */
const maxSidePx = 4096;

/** Most pictures a pass that a file may fix. */
const maxBatch = 4096;

/** Most bytes of pictures a pass. */
const maxPassBytes = 2 ** 31;

/** Most bytes of the settings beside a network. */
const maxSettingsBytes = 2 ** 20;

/** What may stand in the JSON beside the file; what is left out comes from the file's metadata and shapes. */
const settingsSchema = z.strictObject({
  inputSize: z.int().min(1).max(maxSidePx).optional(),
  mean: colour.optional(),
  std: deviation.optional(),
  output: z.string().optional(),
});

/** `encoder.json` for `encoder.onnx`. */
const settingsFile = (file: string): string => file.replace(/\.onnx$/, '.json');

/** Whether a path names an encoder, not a folder of weights. */
export const isEncoderFile = (file: string): boolean => path.extname(file) === '.onnx';

const parseJson = (text: string): unknown => {
  try {
    return parseForeignJson(text, 'settings');
  } catch {
    return undefined;
  }
};

const example = '{"inputSize": 224, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "output": "features"}';

/**
 * Looks into an ONNX encoder and the JSON beside it (`encoder.json`: `inputSize`, `mean`, `std`, `output`, which also may stand in the
 * file's metadata as `input_size`, `mean`, `std`, or follow from its shapes), without running it.
 *
 * @throws UsageError where it is no encoder of pictures, or something is not said, with what to write where
 */
export const readEncoderFile = (given: string): EncoderFile => {
  const file = path.resolve(given);
  const beside = settingsFile(file);
  const refuse = (why: string): never => {
    throw new UsageError(`${given}: ${why}`);
  };
  const ask = (what: string): never =>
    refuse(`expected ${what} in its metadata or in \`${path.basename(beside)}\` beside it, such as ${example}`);
  const bytes = readForeignFile(file, onnxLimitBytes);
  const signature = (() => {
    try {
      return readOnnxSignature(bytes, given);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  })();
  const settings = readSettings(beside, refuse);
  const { metadata } = signature;
  const [input, ...others] = signature.inputs;
  if (!input || others.length > 0) {
    return refuse(`expected one input, got ${signature.inputs.map(({ name }) => `\`${name}\``).join(', ') || 'none'}`);
  }
  const shape = input.shape ?? [];
  const [batch, channels, height, width] = shape;
  if (!input.isFloat32 || shape.length !== 4 || (typeof channels === 'number' && channels !== 3)) {
    return refuse(
      `expected an input of float32 [batch, 3, height, width], got \`${input.name}\` of ${input.isFloat32 ? '' : 'another type and '}shape [${shape.join(', ')}]`,
    );
  }
  const sides = [height, width].filter((side) => typeof side === 'number');
  const inputSize = settings.inputSize ?? (Number(metadata['input_size'] ?? 0) || sides[0]);
  if (inputSize === undefined) return ask('`inputSize`, which it leaves open,');
  if (!Number.isInteger(inputSize) || inputSize < 1 || inputSize > maxSidePx) {
    return refuse(`expected pictures of 1 to ${maxSidePx} px, got ${inputSize}`);
  }
  if (sides.some((side) => side !== inputSize)) {
    return refuse(`expected square pictures of ${inputSize} px, got an input of shape [${shape.join(', ')}]`);
  }
  if (typeof batch === 'number' && (batch > maxBatch || batch * 3 * inputSize ** 2 * 4 > maxPassBytes)) {
    return refuse(`expected at most ${maxBatch} pictures and 2 GiB a pass, got ${batch} of ${inputSize} px`);
  }
  const mean = settings.mean ?? colour.safeParse(parseJson(metadata['mean'] ?? '')).data;
  const std = settings.std ?? deviation.safeParse(parseJson(metadata['std'] ?? '')).data;
  if (!mean || !std) return ask('`mean` and `std` of RGB scaled to 0-1');
  const output = outputOf(signature.outputs, settings.output, refuse, ask);
  const read = {
    ...{ input: input.name, inputSize, mean, std, output: output.name, isMap: output.shape!.length === 4 },
    ...(typeof batch === 'number' ? { batch } : {}),
  };
  const hash = createHash('sha256').update(bytes).update(JSON.stringify(read));
  for (const name of signature.externalFiles) addExternal(hash, path.dirname(file), name, refuse);
  return { file, digest: hash.digest('hex'), ...read };
};

type Refuse = (why: string) => never;

/** Takes a file of weights beside the network into the hash; it must lie in the network's folder, as the format wants it. */
const addExternal = (hash: Hash, folder: string, name: string, refuse: Refuse): void => {
  const file = path.resolve(folder, name);
  const inside = path.relative(folder, file);
  if (name === '' || path.isAbsolute(name) || inside.startsWith('..') || inside === '') {
    refuse(`expected weights in its own folder, got them in \`${printable(name)}\``);
  }
  if (!existsSync(file)) refuse(`its weights lie in \`${printable(name)}\` beside it, which is not there`);
  hashForeignFile(stayInside(folder)(file), hash);
};

const readSettings = (file: string, refuse: Refuse): z.infer<typeof settingsSchema> => {
  if (!existsSync(file)) return {};
  const inside = stayInside(path.dirname(file))(file);
  const parsed = settingsSchema.safeParse(parseJson(readForeignFile(inside, maxSettingsBytes).toString('utf8')));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`);
  return refuse(`${path.basename(file)} beside it: ${problems.join('; ')}`);
};

const outputOf = (
  outputs: readonly DeclaredValue[],
  asked: string | undefined,
  refuse: Refuse,
  ask: Refuse,
): DeclaredValue => {
  const names = outputs.map(({ name }) => name).join(', ');
  if (asked === undefined && outputs.length > 1) return ask(`\`output\`, one of ${names},`);
  const output = asked === undefined ? outputs[0]! : outputs.find(({ name }) => name === asked);
  if (!output) return refuse(`expected an output of ${names}, got \`${asked}\``);
  const rank = output.shape?.length;
  if (!output.isFloat32 || (rank !== 2 && rank !== 4)) {
    return refuse(
      `expected an output of float32 [batch, channels] or [batch, channels, height, width], got \`${output.name}\` of shape [${output.shape?.join(', ') ?? 'unknown'}]`,
    );
  }
  return output;
};
