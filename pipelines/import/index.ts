import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { architectures } from '../../src/network/build-trunk.js';
import { importWeights } from '../../src/network/import/import-weights.js';
import { readTorchFile } from '../../src/network/import/torch-file.js';
import { torchvisionNames } from '../../src/network/import/torchvision-names.js';
import { decodeSafetensors, type StoredTensor } from '../../src/network/safetensors.js';
import { modelFiles, saveWeights } from '../../src/network/weights.js';
import { nearestOf } from '../../src/pipeline/nearest.js';
import type { SideCommand } from '../../src/pipeline/side-command.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { writeModelCard } from '../benchmark/network-card.js';
import { checkPath } from '../benchmark/target-folders.js';

const asked = (flag: string, value: string | undefined): string => {
  if (value !== undefined && value.trim() !== '') return value;
  throw new UsageError(
    `Expected --${flag} to be given, got ${value === undefined ? 'nothing' : JSON.stringify(value)}`,
  );
};

/** What one read of a file can hold. */
const fileLimitBytes = 2 ** 31 - 1;

type Format = 'safetensors' | 'torch.save';

const readArrays = (bytes: Buffer, file: string): { format: Format; tensors: ReadonlyMap<string, StoredTensor> } =>
  path.extname(file) === '.safetensors'
    ? { format: 'safetensors', tensors: decodeSafetensors(bytes, file).tensors }
    : { format: 'torch.save', tensors: readTorchFile(bytes, file) };

/** What is wrong with a file is its user's to mend. */
const asUsage = <T>(read: () => T): T => {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`--from: ${(error as Error).message}`);
  }
};

/** `import`: weights of a network of torchvision as a model folder of ours, which `--weights` takes. */
export const importCommand: SideCommand = {
  name: 'import',
  summary: 'take over weights in the format of torchvision (.pth, .safetensors), for --weights',
  options: [
    {
      flag: '--from',
      value: 'FILE',
      help: 'a state_dict: .safetensors, or a file of torch.save (nothing in it is executed)',
    },
    {
      flag: '--architecture',
      value: 'NAME',
      help: `${Object.keys(torchvisionNames).join(', ')}; others by our own names`,
    },
    { flag: '--to', value: 'FOLDER', help: 'the folder to write: weights.safetensors, model.json, README.md' },
  ],
  run: async (options, say) => {
    const from = asked('from', options['from']);
    checkPath('--from', from);
    const name = asked('architecture', options['architecture']);
    const to = asked('to', options['to']);
    const architecture = Object.hasOwn(architectures, name) ? architectures[name] : undefined;
    if (!architecture) {
      const known = Object.keys(architectures);
      throw new UsageError(`--architecture: unknown architecture \`${name}\`: ${nearestOf(name, known)}`);
    }
    if (existsSync(path.join(to, modelFiles.description))) {
      throw new UsageError(
        `Expected --to to name a folder without a network, got \`${to}\`: it has a ${modelFiles.description}`,
      );
    }
    const stat = statSync(from);
    if (!stat.isFile() || stat.size > fileLimitBytes) {
      throw new UsageError(
        `Expected --from to name a file of less than 2 GB, got \`${from}\`: ${stat.isFile() ? `${(stat.size / 1e9).toFixed(2)} GB` : 'no file'}`,
      );
    }
    const bytes = await readFile(from);
    const { format, tensors } = asUsage(() => readArrays(bytes, from));
    const imported = asUsage(() => importWeights(name, tensors));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const { inputSize, mean, std } = architecture;
    const description = await saveWeights(to, imported.tensors, {
      ...{ architecture: name, inputSize, mean, std },
      how: {
        method: 'imported',
        source: { file: path.basename(from), sha256, format },
        taken: imported.taken.length,
        leftOut: imported.leftOut,
        drawn: [...imported.drawn],
      },
    });
    await writeModelCard(to, description, { data: 'Not known here: that of the file.' });
    say(`${imported.taken.length} arrays taken`);
    const counters = Object.values(imported.leftOut).filter((reason) => reason === 'a counter of batches').length;
    for (const [array, reason] of Object.entries(imported.leftOut)) {
      if (reason !== 'a counter of batches') say(`${array} left out: ${reason}`);
    }
    if (counters > 0) say(`${counters} counters of batches left out`);
    if (imported.drawn.length > 0) {
      say(`${imported.drawn.join(' and ')} drawn at random: read \`fc\` or a layer before it, not \`embedding\``);
    }
    say(`${path.relative('', to)}: ${name}, for --weights`);
  },
};
