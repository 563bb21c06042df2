import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

// Loaded by mocha before any test, in each of its processes. Keeps native libraries quiet, and gives all tests one temporary folder, so
// that nothing is left behind: a process of a parallel run is ended without a word, and could not tidy up after itself.
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
const known = 'VIDEO_SSL_TEST_FOLDER';
if (process.env[known] === undefined) {
  const folder = mkdtempSync(path.join(tmpdir(), 'video-ssl-tests-'));
  process.env[known] = folder;
  process.env['TMPDIR'] = folder;
}

/** Once, in the first process, after all tests. */
export function mochaGlobalTeardown(): void {
  rmSync(process.env[known]!, { recursive: true, force: true });
}
