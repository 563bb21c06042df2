import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findPython } from '../../provision/python.js';
import { SetupProblem } from '../../provision/setup-problem.js';
import { findCompiler } from '../addon.js';
import type { Finding, Section } from './finding.js';

/**
 * Tools that only set-up needs.
 *
 * @param setUp whether what they bring is there already: then their absence is a note
 */
export async function lookAtTools(setUp: boolean): Promise<Section> {
  const tool = async (name: string, find: () => Promise<string>): Promise<Finding> => {
    try {
      return { name, value: await find(), state: 'fine' };
    } catch (error) {
      if (!(error instanceof SetupProblem)) throw error;
      if (setUp) return { name, value: `${error.message} All that it brings is there.`, state: 'fine' };
      return { name, value: error.message, state: 'missing', remedy: error.remedy };
    }
  };
  return {
    title: 'Tools for set-up',
    findings: [
      await tool('python', async () => {
        const { command, python, pip } = await findPython();
        return `${command} ${python}, pip ${pip}`;
      }),
      await tool('compiler', async () => {
        const compiler = await findCompiler();
        const { stdout } = await promisify(execFile)(compiler, ['--version']);
        return stdout.split('\n', 1)[0]!;
      }),
    ],
  };
}
