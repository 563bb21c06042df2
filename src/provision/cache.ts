import { homedir } from 'node:os';
import path from 'node:path';
import { SetupProblem } from './setup-problem.js';

/**
 * The folder that keeps what set-up brought (libraries, compiled addons), outside `node_modules` so that `npm ci` does not
 * throw it away: `VIDEO_SSL_CACHE`, else `$XDG_CACHE_HOME/video-ssl`, else `~/.cache/video-ssl`. Not created here.
 *
 * @throws SetupProblem where there is no home folder either: a user whom the system does not list, without `HOME`
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env['VIDEO_SSL_CACHE']) return path.resolve(env['VIDEO_SSL_CACHE']);
  // The XDG rule: a relative value is to be ignored.
  const xdg = env['XDG_CACHE_HOME'];
  if (xdg && path.isAbsolute(xdg)) return path.join(xdg, 'video-ssl');
  return path.join(homeFolder(env), '.cache', 'video-ssl');
}

function homeFolder(env: NodeJS.ProcessEnv): string {
  try {
    return env['HOME'] || homedir();
  } catch (error) {
    throw new SetupProblem(
      'There is no folder for the cache: HOME is not set, and the system knows no home of this user.',
      'set VIDEO_SSL_CACHE to a folder that can be written to',
      { cause: error },
    );
  }
}
