#!/usr/bin/env node
import { runDoctor } from './runtime/doctor.js';
import { commandLine } from './pipeline/invocation.js';

/** What doctor says must not hang on packages that it looks at: it is done before they are imported. */
const isDoctor = ([name, option, ...more]: readonly string[]): boolean =>
  name === 'doctor' && (option === undefined || option === '--json') && more.length === 0;

/** The program with all that it imports; a package that is gone or is another machine's ends here. */
const loadProgram = async (): Promise<typeof import('./program.js') | undefined> => {
  try {
    return await import('./program.js');
  } catch (error) {
    const { message } = error as Error;
    console.error(
      `This program does not start: ${message.trim().split('\n', 1)[0]}\nTo see what is missing, and what mends it: ${commandLine(['doctor'])}`,
    );
    return undefined;
  }
};

const argv = process.argv.slice(2);
if (isDoctor(argv)) {
  const ffmpegModule = import.meta.resolve('./video/ffmpeg-binary.js');
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  process.exitCode = (await runDoctor(say, { json: argv.includes('--json'), ffmpegModule })) ? 0 : 1;
} else process.exitCode = (await (await loadProgram())?.runProgram(argv)) ?? 1;
