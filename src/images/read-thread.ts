import { parentPort, workerData } from 'node:worker_threads';
import { readScattered } from './picture-file.js';
import { slotStates, type ReadAheadData, type ReadRequest } from './read-ahead.js';

// The program of the thread that reads ahead: one request after the other, until it is ended.

const { file, pixels, states } = workerData as ReadAheadData;
const bytes = file.size * file.size * 3;

const read = ({ pictures, places }: ReadRequest): number => {
  try {
    readScattered(file, pictures, (i) => pixels.subarray(places[i]! * bytes, (places[i]! + 1) * bytes));
    return slotStates.ready;
  } catch {
    // Whoever needs one of them reads it again, and says what is wrong.
    return slotStates.failed;
  }
};

parentPort!.on('message', (request: ReadRequest) => {
  const state = read(request);
  for (const slot of request.slots) {
    Atomics.store(states, slot, state);
    Atomics.notify(states, slot);
  }
  Atomics.add(states, states.length - 1, 1);
  parentPort!.postMessage(null);
});
