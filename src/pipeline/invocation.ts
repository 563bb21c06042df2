import { existsSync } from 'node:fs';
import path from 'node:path';
import { ownPackage } from './own-package.js';
import { printable } from './printable.js';

/** What tells how this process was started. */
export type ProcessFacts = {
  /** The program as it was started (`process.argv[1]`): a link in a folder of programs, or a file. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The folder of this package: where its `package.json` lies. */
  readonly root: string;
};

/** The command that the package brings. */
const binName = 'video-ssl';
/** How the program is called in a checkout: by scripts of its `package.json`. */
const npmScripts = 'npm run';
/** Commands that are scripts of their own in a checkout. */
const ownScripts: ReadonlySet<string> = new Set(['setup', 'doctor']);
/** Tells child processes, whose program is another file, how a person called the first one. */
const variable = 'VIDEO_SSL_CALLED_AS';

/**
 * A command line of this program that works when it is pasted: `npm run pipeline video-ssl -- --seeds 3` in a checkout;
 * `npx video-ssl run --seeds 3` or `video-ssl run --seeds 3` where the package is installed in a project or for everybody.
 * All messages that name a command take it from here.
 *
 * @param argv words after the program, as they are: they are quoted here
 */
export const commandLine = (argv: readonly string[], calledAs: string = howCalled()): string => {
  const words = argv.map(shellWord);
  if (calledAs !== npmScripts) return [calledAs, ...words].join(' ');
  const named = argv[0] !== undefined && !argv[0].startsWith('-');
  const [name = '', rest] = named ? [words[0], words.slice(1)] : ['', words];
  const script = ownScripts.has(name) ? [npmScripts, name] : [npmScripts, 'pipeline', ...(named ? [name] : [])];
  return [...script, ...(rest.length > 0 ? ['--', ...rest] : [])].join(' ');
};

/** What stands before the name of a pipeline or command, for lines of usage: `npm run pipeline --`, `npx video-ssl`. */
export const programName = (calledAs: string = howCalled()): string =>
  calledAs === npmScripts ? `${npmScripts} pipeline --` : calledAs;

/** The command that brings an optional package to where this program finds it: what is left out of a checkout's `package.json` stays so. */
export const installCommand = (name: string, calledAs: string = howCalled()): string => {
  if (calledAs === npmScripts) return `npm install --no-save ${name}`;
  return calledAs === binName ? `npm install -g ${name}` : `npm install ${name}`;
};

/**
 * The command that brings all packages of this program anew, where one is gone, broken or another machine's: of the checkout, of the project
 * that the package is installed in, or from the package's file where it is installed for everybody.
 */
export const reinstallCommand = (
  facts: Pick<ProcessFacts, 'root' | 'cwd'> = factsOfThisProcess(),
  version: string = ownPackage().version,
): string => {
  const holder = holderOf(facts.root);
  const at = (folder: string): string[] => (isWithin(folder, facts.cwd) ? [] : ['--prefix', shellWord(folder)]);
  if (holder === undefined) return ['npm', 'ci', ...at(facts.root), '--include=optional'].join(' ');
  if (path.basename(holder) !== 'lib' || existsSync(path.join(holder, 'package.json')))
    return ['npm', 'install', ...at(holder), '--include=optional'].join(' ');
  const prefix = shellWord(path.dirname(holder));
  return `npm install -g --prefix ${prefix} --include=optional ${binName}-${version}.tgz`;
};

/** The folder with the `node_modules` that the package lies in: a project, or `PREFIX/lib` where npm installs for everybody; none of a checkout. */
const holderOf = (root: string): string | undefined => {
  const folders = root.split(path.sep);
  const at = folders.indexOf('node_modules');
  return at < 0 ? undefined : folders.slice(0, at).join(path.sep) || path.sep;
};

/** What the environment of child processes needs, so that their messages name the same command. */
export const invocationEnvironment = (calledAs: string = howCalled()): Readonly<Record<string, string>> => ({
  [variable]: calledAs,
});

/**
 * How the program is called from a shell in the present folder:
 *
 * - started by the scripts of a checkout, or as part of another program there: by those scripts, `npm run`;
 * - from `node_modules/.bin` of the project one stands in: `npx video-ssl`;
 * - from a folder on the PATH: `video-ssl`;
 * - anyhow else: by the path of the link, or of the file with `node` before it.
 */
export const howCalled = (facts: ProcessFacts = factsOfThisProcess()): string => {
  const { program, env, cwd, root } = facts;
  const told = env[variable];
  if (told) return told;
  const folder = path.dirname(program);
  if (path.basename(program) === binName) {
    if (path.basename(folder) !== '.bin') return isOnPath(folder, env) ? binName : shellWord(program);
    const project = path.dirname(path.dirname(folder));
    return isWithin(project, cwd) ? `npx ${binName}` : shellWord(program);
  }
  const own = isWithin(root, program) && path.basename(program) === 'cli.js';
  const installed = root.split(path.sep).includes('node_modules');
  // Scripts of a checkout are found only from inside it, and npm runs them in its root.
  if (own && (installed || cwd !== root)) return `node ${shellWord(program)}`;
  return installed ? `npx ${binName}` : npmScripts;
};

const isOnPath = (folder: string, env: NodeJS.ProcessEnv): boolean =>
  (env['PATH'] ?? '').split(path.delimiter).some((entry) => entry !== '' && path.resolve(entry) === folder);

const isWithin = (folder: string, place: string): boolean => {
  const inside = path.relative(folder, place);
  return inside === '' || (!inside.startsWith('..') && !path.isAbsolute(inside));
};

const factsOfThisProcess = (): ProcessFacts => ({
  program: process.argv[1] ?? '',
  env: process.env,
  cwd: process.cwd(),
  root: ownPackage().root,
});

/** As a shell takes a word back; where there are control characters, as bash and zsh do. */
export const shellWord = (word: string): string => {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (printable(word) === word) return `'${word.replaceAll("'", `'\\''`)}'`;
  return `$'${printable(word.replaceAll('\\', '\\\\').replaceAll("'", "\\'"))}'`;
};
