import { fileURLToPath } from 'node:url';
import { fuzzTests } from '../fuzzing/fuzz-tests.js';
import { readers } from './fuzz-readers.js';

describe('Parameters and run folders of strangers', () => {
  fuzzTests(fileURLToPath(new URL('./fuzz-readers.js', import.meta.url)), readers, 9);
});
