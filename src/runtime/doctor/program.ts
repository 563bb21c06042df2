import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Finding, Section } from './finding.js';

type PackageJson = { readonly name?: string; readonly version?: string; readonly engines?: { readonly node?: string } };

/** This program's version and commit, and the Node and npm that run it. */
export async function lookAtProgram(): Promise<Section> {
  const { folder, description } = await findPackage();
  const commit = await commitOf(folder);
  const npm = (await said('npm', ['--version'])) || /npm\/(\S+)/.exec(process.env['npm_config_user_agent'] ?? '')?.[1];
  return {
    title: 'Program',
    findings: [
      {
        name: 'version',
        value: [
          `${description.name} ${description.version}`,
          commit === undefined ? 'no commit known' : `commit ${commit}`,
        ].join(', '),
        state: 'fine',
      },
      lookAtNode(process.version, description.engines?.node ?? '>=0'),
      { name: 'npm', value: npm ?? 'not found', state: 'fine' },
    ],
  };
}

/**
 * The commit that a checkout of this package is at; none where the folder only lies in a repository, as that of a project which installed the
 * package.
 *
 * @param folder of the package
 */
export async function commitOf(folder: string): Promise<string | undefined> {
  const git = (...args: readonly string[]): Promise<string | undefined> => said('git', ['-C', folder, ...args]);
  // The way from the repository's root to the folder: an empty line, where that is the root.
  const [commit, within] = (await git('rev-parse', '--short=12', 'HEAD', '--show-prefix'))?.split('\n') ?? [];
  if (!commit || within) return undefined;
  return (await git('status', '--porcelain', '--untracked-files=no')) ? `${commit}, changed since` : commit;
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

/** A hook of git's tells what it starts which repository it is of, whatever folder that looks at. */
const withoutOthersRepository = (): NodeJS.ProcessEnv => {
  const { GIT_DIR: _, GIT_WORK_TREE: __, GIT_PREFIX: ___, ...env } = process.env;
  return env;
};

/** What a program prints, or nothing where it is not there or fails. */
const said = (program: string, args: readonly string[]): Promise<string | undefined> =>
  promisify(execFile)(program, args, { timeout: 20_000, env: withoutOthersRepository() }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
