import type { Finding, Section } from './finding.js';

/** Where a network is reached by, and where packages come from. Addresses may hold passwords: names only. */
const WAYS =
  /^(https?|all|no|ftp)_proxy$|^npm_config_(https?_?proxy|proxy|noproxy|registry|cafile)$|^pip_(?!disable|default)|^(ssl_cert_file|ssl_cert_dir|requests_ca_bundle|curl_ca_bundle|node_extra_ca_certs)$/i;
/** What changes which programs and libraries are found. Paths: names only. */
const PLACES =
  /^(VIDEO_SSL_CACHE|FFMPEG_PATH|PYTHON|CXX|XDG_CACHE_HOME|PYTHON(HOME|PATH|STARTUP)|LD_(LIBRARY_PATH|PRELOAD)|NODE_OPTIONS|NODE_PATH|TMPDIR|CPATH|CPLUS_INCLUDE_PATH)$/;
/** What changes what is computed, or how fast. */
const NUMBERS =
  /^(TF_|XLA_|ONEDNN_|DNNL_|OMP_|KMP_|CUDA_VISIBLE_DEVICES$|NVIDIA_TF32_OVERRIDE$|UV_THREADPOOL_SIZE$|VIDEO_SSL_REQUIRE_NATIVE$)/;

/** Variables of the environment that bear on a run: by name; the values only of switches, and only where they are short words. */
export function lookAtVariables(env: NodeJS.ProcessEnv = process.env): Section {
  const names = (pattern: RegExp): string[] =>
    Object.keys(env)
      .filter((name) => pattern.test(name) && env[name] !== '')
      .sort();
  const finding = (name: string, set: readonly string[]): Finding => ({
    name,
    value: set.length > 0 ? set.join(', ') : 'none set',
    state: 'fine',
  });
  return {
    title: 'Environment (names; no values but of switches)',
    findings: [
      finding('network', names(WAYS)),
      finding('places', names(PLACES)),
      finding(
        'switches',
        names(NUMBERS).map((name) => (/^[\w.,+-]{1,24}$/.test(env[name]!) ? `${name}=${env[name]}` : name)),
      ),
    ],
  };
}
