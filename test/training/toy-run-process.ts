// One process of the resume tests: trains the toy run in the folder named first, stopping after the step named second, killed after the
// one named third (-1: never).
import { openRuntime } from '../../src/runtime/open.js';
import { train } from '../../src/training/train.js';
import { hashToy, toyRun } from './toy-run.js';

const [dir, stopAt, killAt] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4] ?? -1)];
await openRuntime({ threads: 1 });
const controller = new AbortController();
const options = toyRun({
  steps: 11,
  dir,
  checkpointEvery: 4,
  signal: controller.signal,
  onProgress: ({ done }) => {
    if (done === killAt) process.kill(process.pid, 'SIGKILL');
    if (done === stopAt) controller.abort(new Error('stopped'));
  },
});
try {
  const { resumedFrom, history } = await train(options);
  console.log(JSON.stringify({ log: 'done', hash: hashToy(options.trunk), history, resumedFrom }));
} catch (error) {
  if (error !== controller.signal.reason) throw error;
  console.log(JSON.stringify({ log: 'stopped' }));
}
