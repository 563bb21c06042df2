import { fileURLToPath } from 'node:url';
import { fuzzTests } from '../fuzzing/fuzz-tests.js';
import { readers } from './fuzz-readers.js';

describe('Figures, scores and logs of strangers, many times over', () => {
  fuzzTests(fileURLToPath(new URL('./fuzz-readers.js', import.meta.url)), readers, 2000);
});
