import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import {
  commandLine,
  howCalled,
  installCommand,
  programName,
  reinstallCommand,
} from '../../src/pipeline/invocation.js';
import { explainEnd } from '../../src/pipeline/workers/worker-pool.js';

const checkout = '/home/ann/video-ssl';
const installed = '/home/ann/project/node_modules/video-ssl';

const called = (
  program: string,
  { root = installed, cwd = '/home/ann/project', PATH = '/usr/bin', ...env }: Record<string, string> = {},
): string => howCalled({ program, root, cwd, env: { PATH, ...env } });

describe('The command that messages name', () => {
  it('is a script of the checkout that one stands in', () => {
    const how = called(`${checkout}/dist/src/cli.js`, { root: checkout, cwd: checkout });
    assert.equal(how, 'npm run');
    assert.equal(commandLine(['video-ssl', '--seeds', '3'], how), 'npm run pipeline video-ssl -- --seeds 3');
    assert.equal(commandLine(['video-ssl'], how), 'npm run pipeline video-ssl');
    assert.equal(commandLine([], how), 'npm run pipeline');
    assert.equal(commandLine(['--help'], how), 'npm run pipeline -- --help');
    assert.equal(commandLine(['doctor'], how), 'npm run doctor');
    assert.equal(commandLine(['setup', '--device', 'gpu'], how), 'npm run setup -- --device gpu');
    assert.equal(programName(how), 'npm run pipeline --');
  });

  it('is the file itself where the checkout is another folder than the present one, since npm changes into it', () => {
    const how = called(`${checkout}/dist/src/cli.js`, { root: checkout, cwd: '/home/ann' });
    assert.equal(commandLine(['doctor'], how), `node ${checkout}/dist/src/cli.js doctor`);
  });

  it('begins with npx in the project that the package is installed in, and below it', () => {
    const link = '/home/ann/project/node_modules/.bin/video-ssl';
    for (const cwd of ['/home/ann/project', '/home/ann/project/data/clips']) {
      const how = called(link, { cwd, PATH: `/home/ann/project/node_modules/.bin${path.delimiter}/usr/bin` });
      assert.equal(commandLine(['run', '--videos', 'my clips'], how), "npx video-ssl run --videos 'my clips'");
      assert.equal(programName(how), 'npx video-ssl');
    }
    assert.equal(called(link, { cwd: '/home/ann/projects' }), link);
  });

  it('is the bare name where the package is installed for everybody, and the path where the PATH does not lead there', () => {
    const options = { root: '/opt/node/lib/node_modules/video-ssl', cwd: '/data' };
    const how = called('/opt/node/bin/video-ssl', { ...options, PATH: '/usr/bin:/opt/node/bin' });
    assert.equal(commandLine(['status', '--work', 'DIR'], how), 'video-ssl status --work DIR');
    assert.equal(called('/opt/node 2/bin/video-ssl', options), "'/opt/node 2/bin/video-ssl'");
  });

  it('begins with npx where the package is used as a library, and with node where its file was started', () => {
    assert.equal(called('/home/ann/project/embed.mjs'), 'npx video-ssl');
    assert.equal(called(`${installed}/dist/src/cli.js`), `node ${installed}/dist/src/cli.js`);
    assert.equal(called('/home/ann/embed.mjs', { root: checkout, cwd: '/home/ann' }), 'npm run');
  });

  it('is that of the first process in those that it starts', () => {
    const worker = `${installed}/dist/src/pipeline/workers/worker.js`;
    assert.equal(called(worker, { VIDEO_SSL_CALLED_AS: 'video-ssl' }), 'video-ssl');
  });

  it('comes back from a shell as the words that were given', () => {
    const words = ['a b', "it's", '$HOME', 'é', 'tab\there', '*', '', '\\', 'x=1'];
    const printed = execFileSync('bash', ['-c', commandLine(['%s|', ...words], 'printf')], { encoding: 'utf8' });
    assert.deepEqual(printed.split('|').slice(0, -1), words);
  });

  it('installs what is optional where this program finds it', () => {
    assert.equal(installCommand('x', 'npm run'), 'npm install --no-save x');
    assert.equal(installCommand('x', 'npx video-ssl'), 'npm install x');
    assert.equal(installCommand('x', 'video-ssl'), 'npm install -g x');
  });

  it('brings packages back to where they lie: a checkout, a project, or the package of everybody', () => {
    const mend = (root: string, cwd: string): string => reinstallCommand({ root, cwd }, '1.2.3');
    assert.equal(mend(checkout, checkout), 'npm ci --include=optional');
    assert.equal(mend(checkout, '/data'), `npm ci --prefix ${checkout} --include=optional`);
    assert.equal(mend(installed, '/home/ann/project/data'), 'npm install --include=optional');
    assert.equal(mend(installed, '/data'), 'npm install --prefix /home/ann/project --include=optional');
    assert.equal(
      mend('/opt/node 2/lib/node_modules/video-ssl', '/data'),
      "npm install -g --prefix '/opt/node 2' --include=optional video-ssl-1.2.3.tgz",
    );
  });

  it('stands in what is said of a process that died', () => {
    process.env['VIDEO_SSL_CALLED_AS'] = 'npx video-ssl';
    try {
      assert.match(explainEnd(null, 'SIGILL'), /run `npx video-ssl doctor`/);
    } finally {
      delete process.env['VIDEO_SSL_CALLED_AS'];
    }
    assert.match(explainEnd(null, 'SIGILL'), /run `npm run doctor`/);
    assert.equal(explainEnd(3, null), 'The process that does the work ended with exit code 3.');
  });
});
