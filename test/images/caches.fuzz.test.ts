import { fileURLToPath } from 'node:url';
import { fuzzTests } from '../fuzzing/fuzz-tests.js';
import { readers } from './fuzz-caches.js';

describe('Decoded pictures of strangers', () => {
  fuzzTests(fileURLToPath(new URL('./fuzz-caches.js', import.meta.url)), readers, 9);
});
