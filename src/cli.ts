#!/usr/bin/env node

// Nothing is imported before it is needed: what doctor says must not hang on packages that it looks at, and where even the program's own
// files cannot be opened that is said in a line.

const isDoctor = ([name, option, ...more]: readonly string[]): boolean =>
  name === 'doctor' && (option === undefined || option === '--json') && more.length === 0;

const runDoctor = async (json: boolean): Promise<number> => {
  const doctor = await import('./runtime/doctor.js');
  const ffmpegModule = import.meta.resolve('./video/ffmpeg-binary.js');
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  return (await doctor.runDoctor(say, { json, ffmpegModule })) ? 0 : 1;
};

/** The program with all that it imports; a package that is gone or is another machine's ends here. */
const loadProgram = async (): Promise<typeof import('./program.js') | undefined> => {
  try {
    return await import('./program.js');
  } catch (error) {
    if (whatSurroundingsLack(error) !== undefined) throw error;
    const { commandLine } = await import('./pipeline/invocation.js');
    const { message } = error as Error;
    console.error(
      `This program does not start: ${message.trim().split('\n', 1)[0]}\nTo see what is missing, and what mends it: ${commandLine(['doctor'])}`,
    );
    return undefined;
  }
};

/** What no part of the program can do without, in a line. */
const whatSurroundingsLack = (error: unknown): string | undefined => {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'EMFILE' || code === 'ENFILE')
    return 'This program does not start: it may open too few files at once. To mend it: raise the limit (`ulimit -n 1024`)';
  if (syscall === 'uv_cwd')
    return 'This program does not start: the folder that it was started in is gone. To mend it: `cd` to one that is there';
  return undefined;
};

const argv = process.argv.slice(2);
try {
  const { surviveClosedOutput } = await import('./pipeline/closed-output.js');
  surviveClosedOutput();
  process.exitCode = isDoctor(argv)
    ? await runDoctor(argv.includes('--json'))
    : ((await (await loadProgram())?.runProgram(argv)) ?? 1);
} catch (error) {
  const lacks = whatSurroundingsLack(error);
  if (lacks === undefined) throw error;
  console.error(lacks);
  process.exitCode = 1;
}
