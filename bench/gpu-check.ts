// Checks and times TensorFlow's CUDA build on an NVIDIA GPU against the CPU build of the same version, in one command:
//   node dist/bench/gpu-check.js [--only small,resnet18-cifar,caffenet] [--threads N] [--steps N] [--out FILE.json]
// Exit code 1 where the GPU is not taken, features or first moves differ by more than 1e-3 of their length, or two runs on the GPU differ
// by a byte. Needs no network once `npm run setup -- --device gpu` and `-- --device cpu` have filled the cache.
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { readNvidia } from '../src/runtime/nvidia.js';
import { relativeDistance, runGpuSide, type GpuRun } from './gpu-run.js';

const CASES = [
  { architecture: 'small', images: 64 },
  { architecture: 'resnet18-cifar', images: 128 },
  { architecture: 'caffenet', images: 32 },
] as const;
const BAR = 1e-3;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: CASES.map(({ architecture }) => architecture).join(',') },
    threads: { type: 'string', default: String(availableParallelism()) },
    steps: { type: 'string', default: '12' },
    out: { type: 'string' },
  },
});
const threads = Number(values.threads);
const steps = Number(values.steps);
const only = values.only.split(',');
const chosen = CASES.filter(({ architecture }) => only.includes(architecture));
if (!(threads >= 1 && steps >= 2 && chosen.length > 0))
  throw new RangeError(
    `Expected --threads of at least 1, --steps of at least 2 and --only of ${CASES.map(({ architecture }) => architecture).join(', ')}, ` +
      `got ${values.threads}, ${values.steps}, ${values.only}`,
  );

const nvidia = await readNvidia();
console.log(
  nvidia.state === 'ready'
    ? `GPU: ${nvidia.gpus.join(', ') || 'not named by the driver'}, driver ${nvidia.driver ?? 'of unknown version'}`
    : `no usable GPU: ${nvidia.reason}`,
);

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const rate = ({ seconds }: GpuRun, images: number): number => images / median(seconds);

const rows = [];
for (const { architecture, images } of chosen) {
  const side = { threads, architecture, images };
  // Full float32: by default the matrix units of newer GPUs round the factors of products to 10 bits (TF32).
  const exact = { NVIDIA_TF32_OVERRIDE: '0' };
  const cpu = await runGpuSide({ ...side, build: 'cpu', steps: 3 });
  const gpu = await runGpuSide({ ...side, build: 'cuda', steps: 3 }, exact);
  const again = await runGpuSide({ ...side, build: 'cuda', steps: 3 }, exact);
  const fast = await runGpuSide({ ...side, build: 'cuda', steps });
  const features = relativeDistance(gpu.values, cpu.values, 0, cpu.features);
  const moves = relativeDistance(gpu.values, cpu.values, cpu.features);
  const row = {
    architecture,
    images,
    device: gpu.device,
    features,
    moves,
    featuresTf32: relativeDistance(fast.values, cpu.values, 0, cpu.features),
    sameBytes: gpu.digest === again.digest,
    cpuImagesPerSecond: rate(cpu, images),
    gpuImagesPerSecond: rate(fast, images),
    passed: gpu.device === 'gpu' && features < BAR && moves < BAR && gpu.digest === again.digest,
  };
  rows.push(row);
  console.log(
    `${row.passed ? 'ok  ' : 'FAIL'} ${architecture.padEnd(15)} on the ${gpu.device.toUpperCase()}: features ${features.toExponential(1)}, ` +
      `first moves ${moves.toExponential(1)}, with TF32 ${row.featuresTf32.toExponential(1)}, ${row.sameBytes ? 'same' : 'OTHER'} bytes again; ` +
      `${row.gpuImagesPerSecond.toFixed(0)} images a second, CPU (${threads} threads) ${row.cpuImagesPerSecond.toFixed(0)}`,
  );
}
if (values.out) await writeFile(values.out, `${JSON.stringify({ nvidia, threads, steps, rows }, undefined, 1)}\n`);
process.exitCode = rows.every(({ passed }) => passed) ? 0 : 1;
