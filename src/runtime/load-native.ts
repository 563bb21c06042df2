import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * Loads tfjs-node around an addon that lies outside `node_modules`. The package asks node-pre-gyp for the addon's path; that one
 * question is answered here, so that nothing is written into the installed package (it may be read-only, shared, or fresh from
 * `npm ci`). Registers the backend `tensorflow` and makes it the current one.
 */
export function loadNative(addon: string): void {
  restoreUtil();
  const package_ = createRequire(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
  const preGyp = package_('@mapbox/node-pre-gyp/lib/pre-binding.js') as { find: (packageJson: string) => string };
  const { find } = preGyp;
  preGyp.find = () => addon;
  try {
    require('@tensorflow/tfjs-node-gpu');
  } finally {
    preGyp.find = find;
  }
}

/** tfjs-node still calls two helpers that Node 23 took out of `util`. */
function restoreUtil(): void {
  const util = require('node:util') as {
    isNullOrUndefined?: (value: unknown) => boolean;
    isArray?: (value: unknown) => boolean;
  };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}
