import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findPython } from '../../provision/python.js';
import { SetupProblem } from '../../provision/setup-problem.js';
import { findCompiler } from '../addon.js';
import type { Finding, Section } from './finding.js';

/**
 * Tools that only set-up needs.
 *
 * @param there what they bring and is there already: the library by Python, the addon by the compiler. Then their absence is no lack
 */
export async function lookAtTools(there: { readonly library: boolean; readonly addon: boolean }): Promise<Section> {
  const tool = async (name: string, setUp: boolean, find: () => Promise<string>): Promise<Finding> => {
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
      await tool('python', there.library, async () => {
        const { command, python, pip } = await findPython();
        return `${command} ${python}, pip ${pip}`;
      }),
      await tool('compiler', there.addon, async () => {
        const [program, ...options] = await findCompiler();
        const { stdout } = await promisify(execFile)(program, [...options, '--version']);
        return stdout.split('\n', 1)[0]!;
      }),
    ],
  };
}
