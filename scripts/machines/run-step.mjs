import { spawn } from 'node:child_process';

/** Runs a command to its end or its limit; a group of its own, so that nothing of it stays behind. Output is kept, both streams as one text. */
export const runStep = (argv, { cwd, env, limitSeconds }) =>
  new Promise((resolve) => {
    const began = performance.now();
    const child = spawn(argv[0], argv.slice(1), { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let text = '';
    const keep = (data) => (text += data);
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      process.kill(-child.pid, 'SIGKILL');
    }, limitSeconds * 1000);
    const finish = (code, signal) => {
      clearTimeout(limit);
      resolve({ code, signal, late, text, seconds: Math.round((performance.now() - began) / 100) / 10 });
    };
    child.once('error', (error) => {
      text += error.message;
      finish(null, null);
    });
    child.once('close', finish);
  });
