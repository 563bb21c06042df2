import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { ownPackage } from '../../src/pipeline/own-package.js';

describe('The package of this program', () => {
  it('is found above its modules', () => {
    assert.match(ownPackage().version, /^\d+\.\d+\.\d+/);
  });

  it('is not said to be missing where too many files are open', function () {
    if (process.platform === 'win32') return this.skip();
    const script = `
      import { openSync, writeSync } from 'node:fs';
      const { ownPackage } = await import(${JSON.stringify(new URL('../../src/pipeline/own-package.js', import.meta.url))});
      try { for (;;) openSync('/dev/null'); } catch {}
      try { ownPackage(); } catch (error) { writeSync(1, error.message); }`;
    const line = 'ulimit -n 64; exec "$0" --input-type=module -e "$1"';
    const said = execFileSync('bash', ['-c', line, process.execPath, script], { encoding: 'utf8' });
    assert.match(said, /^EMFILE: /);
  });
});
