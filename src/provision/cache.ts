import { homedir } from 'node:os';
import path from 'node:path';

/**
 * The folder that keeps what set-up brought (libraries, compiled addons), outside `node_modules` so that `npm ci` does not
 * throw it away: `VIDEO_SSL_CACHE`, else `$XDG_CACHE_HOME/video-ssl`, else `~/.cache/video-ssl`. Not created here.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env['VIDEO_SSL_CACHE']) return path.resolve(env['VIDEO_SSL_CACHE']);
  // The XDG rule: a relative value is to be ignored.
  const xdg = env['XDG_CACHE_HOME'];
  if (xdg && path.isAbsolute(xdg)) return path.join(xdg, 'video-ssl');
  return path.join(homedir(), '.cache', 'video-ssl');
}
