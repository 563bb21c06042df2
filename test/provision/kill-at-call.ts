import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

// Loaded before a program (`node --import`): counts what it does to the disk through node:fs/promises, and ends it with SIGKILL before, after
// or (writes) half-way through the n-th of these: `KILL_CALL=n`. `COUNT_CALLS=FILE` writes a line for each such moment.
const wanted = Number(process.env['KILL_CALL']);
const countFile = process.env['COUNT_CALLS'];
let passed = 0;

const moment = (name: string): void => {
  passed += 1;
  if (countFile) fs.appendFileSync(countFile, `${name}\n`);
  if (passed === wanted) process.kill(process.pid, 'SIGKILL');
};

type Call = (...args: unknown[]) => Promise<unknown>;
const wrap = (holder: object, name: string, half?: (...args: unknown[]) => Promise<unknown>): void => {
  const calls = holder as Record<string, Call>;
  const real = calls[name]!;
  calls[name] = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    moment(`before ${name}`);
    if (half) {
      await half.apply(this, args);
      moment(`half-way through ${name}`);
    }
    const result = await real.apply(this, args);
    moment(`after ${name}`);
    return result;
  };
};

const { writeFile } = promises;
const halfOf = (data: unknown): string => String(data).slice(0, String(data).length >> 1);
for (const name of ['mkdir', 'rename', 'rm', 'link', 'unlink', 'symlink', 'chmod', 'mkdtemp']) wrap(promises, name);
wrap(promises, 'writeFile', (file, data) => writeFile(file as string, halfOf(data)));
const handle = await promises.open(process.execPath);
wrap(Object.getPrototypeOf(handle) as object, 'sync');
await handle.close();
syncBuiltinESMExports();
