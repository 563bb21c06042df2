import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Finding, Section } from './finding.js';

type PackageJson = { readonly name?: string; readonly version?: string; readonly engines?: { readonly node?: string } };

/** This program's version and commit, and the Node and npm that run it. */
export async function lookAtProgram(): Promise<Section> {
  const { folder, description } = await findPackage();
  const commit = await said('git', ['-C', folder, 'rev-parse', '--short=12', 'HEAD']);
  const changed = commit && (await said('git', ['-C', folder, 'status', '--porcelain', '--untracked-files=no']));
  const npm = (await said('npm', ['--version'])) || /npm\/(\S+)/.exec(process.env['npm_config_user_agent'] ?? '')?.[1];
  return {
    title: 'Program',
    findings: [
      {
        name: 'version',
        value: [
          `${description.name} ${description.version}`,
          commit ? `commit ${commit}${changed ? ', changed since' : ''}` : 'no commit known',
        ].join(', '),
        state: 'fine',
      },
      lookAtNode(process.version, description.engines?.node ?? '>=0'),
      { name: 'npm', value: npm ?? 'not found', state: 'fine' },
    ],
  };
}

/** @param needed as in `engines`: `>=20.19` */
export function lookAtNode(version: string, needed: string): Finding {
  const least = needed.replace(/^>=\s*/, '');
  const old = version.replace(/^v/, '').localeCompare(least, 'en', { numeric: true }) < 0;
  return old
    ? {
        name: 'node',
        value: `${version}; ${needed} is needed`,
        state: 'broken',
        remedy: `install Node ${least} or newer`,
      }
    : { name: 'node', value: version, state: 'fine' };
}

/** The package that this file belongs to: the first folder upwards with a `package.json`. */
async function findPackage(): Promise<{ folder: string; description: PackageJson }> {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const text = await readFile(path.join(folder, 'package.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) return { folder, description: JSON.parse(text) as PackageJson };
    if (folder === path.dirname(folder)) return { folder, description: {} };
  }
}

/** What a program prints, or nothing where it is not there or fails. */
const said = (program: string, args: readonly string[]): Promise<string | undefined> =>
  promisify(execFile)(program, args, { timeout: 20_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
