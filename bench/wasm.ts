// Times whole training steps of the trunk `small` (as bench:train does) natively and on the wasm fallback, taking turns in one run: what the
// fallback costs, which it says as a run begins.
//
//   npm run bench:wasm [-- --threads 1] [--rounds 5] [--out FILE.json]
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../src/numeric/statistics.js';
import { trainCases, trainSettings, type Timing } from './train-cases.js';
import { startSide } from './train-side.js';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
});
const threads = Number(values.threads);
const { name, architecture, images } = trainCases.find((one) => one.name === 'small')!;
const stepsPerRound = 2;

const folder = await mkdtemp(path.join(tmpdir(), 'bench-wasm-'));
const devices = ['cpu', 'wasm'] as const;
const setup = {
  ...trainSettings,
  ...{ architecture, images, threads },
  ...{ model: path.join(folder, 'model'), batch: path.join(folder, 'batch.f32'), channelsLast: false, code: '' },
};
const sides = [];
try {
  for (const device of devices) sides.push(await startSide(device, { ...setup, device }, folder));
  for (const side of sides) await side.steps(1);
  const timings = sides.map((): Timing[] => []);
  const loads: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    loads.push(loadavg()[0]!);
    for (const [i, side] of sides.entries()) timings[i]!.push(await side.steps(stepsPerRound));
  }
  const rows = sides.map(({ version }, i) => ({
    ...{ device: devices[i], version },
    milliseconds: 1000 * median(timings[i]!.flatMap(({ seconds }) => seconds)),
    processorMilliseconds: 1000 * median(timings[i]!.flatMap(({ cpuSeconds }) => cpuSeconds)),
    loss: timings[i]!.at(-1)!.loss,
  }));
  const ratioOf = (pick: (timing: Timing) => number[]): number =>
    median(timings[0]!.map((native, round) => median(pick(timings[1]![round]!)) / median(pick(native))));
  const ratios = { wall: ratioOf(({ seconds }) => seconds), processor: ratioOf(({ cpuSeconds }) => cpuSeconds) };
  for (const { version, milliseconds, processorMilliseconds } of rows)
    console.log(
      `${milliseconds.toFixed(0)} ms a step, ${processorMilliseconds.toFixed(0)} ms of processor time: ${version}`,
    );
  console.log(
    `wasm takes ${ratios.wall.toFixed(1)} times as long, ${ratios.processor.toFixed(1)} times in processor time`,
  );
  if (values.out !== undefined) {
    const command = `npm run bench:wasm -- --threads ${threads}`;
    const machine = { cores: availableParallelism(), node: process.version };
    const result = { command, machine, network: name, images, threads, load: median(loads), rows, ratios };
    await writeFile(values.out, `${JSON.stringify(result, undefined, 2)}\n`);
  }
} finally {
  for (const side of sides) side.close();
  await rm(folder, { recursive: true, force: true });
}
