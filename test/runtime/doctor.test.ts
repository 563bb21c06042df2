import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Diagnosis, Finding, Section } from '../../src/runtime/doctor.js';
import { readGroupLimits, readProcessLimits } from '../../src/runtime/doctor/limits.js';
import { lookAtCores, lookAtMachine, lookAtMemory } from '../../src/runtime/doctor/machine.js';
import { diagnosisJson, formatDiagnosis } from '../../src/runtime/doctor/print.js';
import { commitOf, lookAtNode } from '../../src/runtime/doctor/program.js';
import { remedyFor } from '../../src/runtime/doctor/remedy.js';
import { lookAtGpu } from '../../src/runtime/doctor/tensorflow.js';
import { lookAtTools } from '../../src/runtime/doctor/tools.js';
import { lookAtVariables } from '../../src/runtime/doctor/variables.js';
import { giveVerdict } from '../../src/runtime/doctor/verdict.js';

const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const built = path.resolve(path.dirname(cli), '..');

/** Runs `doctor` and gives its exit code and both of its outputs. */
const doctor = async (
  program: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; out: string; err: string }> => {
  const ended = promisify(execFile)(process.execPath, [program, 'doctor', ...args], {
    env: { ...process.env, ...env },
  });
  const { stdout, stderr, code } = await ended.then(
    (end) => ({ ...end, code: 0 }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  return { code, out: stdout, err: stderr };
};

describe('doctor', () => {
  let root: string;
  before(async () => void (root = await mkdtemp(path.join(tmpdir(), 'video-ssl-doctor-'))));
  after(() => rm(root, { recursive: true, force: true }));

  it('tells all that an issue needs, tries what it names, and ends with a verdict and its exit code', async () => {
    const { code, out } = await doctor(cli, ['--json'], {
      HTTPS_PROXY: 'http://me:secret@proxy.example:8080',
      OMP_NUM_THREADS: '7',
    });
    const { healthy, verdict, sections } = JSON.parse(out) as Diagnosis;
    const told = new Map(
      sections.flatMap(({ findings }) => findings.map((finding) => [finding.name, finding] as const)),
    );
    const names = ['version', 'node', 'npm', 'system', 'processor', 'instructions', 'memory', 'cache', 'run folder'];
    names.push('temporary', 'python', 'compiler', 'pictures', 'ledger', 'optical flow', 'library', 'fallback', 'gpu');
    for (const name of [...names, 'ffmpeg', 'network', 'switches']) assert.ok(told.has(name), name);
    assert.match(told.get('version')!.value, /^video-ssl \d+\.\d+\.\d+, (commit [0-9a-f]{12}|no commit known)/);
    assert.match(told.get('pictures')!.value, /^sharp [\d.]+, libvips [\d.]+$/);
    assert.match(told.get('ledger')!.value, /^libsql, SQLite 3\./);
    assert.match(told.get('fallback')!.value, /^tfjs wasm [\d.]+ loads and computes$/);
    assert.match(told.get('ffmpeg')!.value, /runs/);
    assert.match(told.get('network')!.value, /HTTPS_PROXY/);
    assert.match(told.get('switches')!.value, /OMP_NUM_THREADS=7/);
    assert.doesNotMatch(out, /secret|proxy\.example/);
    assert.ok(!out.includes(`${homedir()}/`), 'the home folder is shown as ~');
    assert.equal(healthy, ['native', 'set-up'].includes(verdict.runs));
    assert.equal(code, healthy ? 0 : 1);
  });

  it('works where a package is gone, names it, and says what brings it back', async () => {
    // The compiled program with a node_modules of its own, which holds nothing but what is linked here.
    const program = path.join(root, 'program');
    await cp(path.join(built, 'src'), path.join(program, 'src'), { recursive: true });
    await writeFile(path.join(program, 'package.json'), '{"type":"module","version":"1.2.3","name":"video-ssl"}');
    await mkdir(path.join(program, 'node_modules', 'sharp'), { recursive: true });
    await writeFile(
      path.join(program, 'node_modules', 'sharp', 'index.js'),
      'throw new Error("Could not load the \\"sharp\\" module using the linux-x64 runtime")',
    );
    const { code, out, err } = await doctor(path.join(program, 'src', 'cli.js'), [], {
      VIDEO_SSL_CACHE: path.join(root, 'cache'),
    });
    assert.equal(err, '');
    assert.equal(code, 1);
    assert.match(out, /^✗ pictures +sharp \(pictures\) does not load: Could not load the "sharp" module/m);
    assert.match(out, /^✗ ledger +libsql \(ledger\) does not load: Cannot find package 'libsql'/m);
    assert.match(out, /^✗ ffmpeg /m);
    assert.doesNotMatch(out, /^\s+at /m);
    assert.match(
      out.trim().split('\n').at(-1)!,
      /^Nothing runs here before pictures and ledger and .* is mended\. To mend it: npm ci --prefix \S+\/program --include=optional$/,
    );
    const other = promisify(execFile)(process.execPath, [path.join(program, 'src', 'cli.js'), 'status']);
    await assert.rejects(other, (error: { code: number; stderr: string }) => {
      assert.equal(error.code, 1);
      assert.match(
        error.stderr,
        /^This program does not start: .*\nTo see what is missing, and what mends it: .*doctor\n$/,
      );
      return true;
    });
  });
});

describe('doctor: where even printing or starting is hard', () => {
  let root: string;
  let program: string;
  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'video-ssl-hard-'));
    await cp(path.join(built, 'src'), path.join(root, 'src'), { recursive: true });
    await writeFile(path.join(root, 'package.json'), '{"type":"module","version":"1.2.3","name":"video-ssl"}');
    program = path.join(root, 'src', 'cli.js');
  });
  after(() => rm(root, { recursive: true, force: true }));

  /** What bash ends with, and what is said to its standard error; `$1` is the program. */
  const bash = (script: string): { status: number | null; err: string } => {
    const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', program], { encoding: 'utf8' });
    return { status, err: stderr };
  };

  it('says in a line that the folder it stands in is gone, as do other commands', async () => {
    for (const command of ['doctor', 'status']) {
      const gone = await mkdtemp(path.join(root, 'gone-'));
      const { status, err } = bash(`cd '${gone}' && rmdir '${gone}' && "${process.execPath}" "$1" ${command}`);
      assert.match(
        err,
        /^This program does not start: the folder that it was started in is gone\. To mend it: `cd` .*\n$/,
      );
      assert.equal(status, 1);
    }
  });

  it('names `ulimit -n` where not even its own files can be opened', function () {
    const few = `ulimit -n 28; "${process.execPath}"`;
    if (bash(`${few} -e 0`).status !== 0) this.skip(); // Node itself takes more.
    const { status, err } = bash(`${few} "$1" doctor >/dev/null`);
    assert.match(err, /^This program does not start: .*`ulimit -n 1024`\)\n$/);
    assert.equal(status, 1);
  });

  it('ends as it would have where nobody reads what it prints, or no room is left for it', async () => {
    const stub =
      'export const runDoctor = async (say) => { for (let i = 0; i < 20000; i++) say(`line ${i}`); return true; };';
    await writeFile(path.join(root, 'src', 'runtime', 'doctor.js'), stub);
    const run = `"${process.execPath}" "$1" doctor --json`;
    assert.deepEqual(bash(`${run} | true; exit \${PIPESTATUS[0]}`), { status: 0, err: '' });
    assert.deepEqual(bash(`${run} > /dev/full`), { status: 0, err: '' });
  });
});

describe('doctor: findings', () => {
  it('name the commit of a checkout, and not that of a project which the package is installed in', async function () {
    const project = await mkdtemp(path.join(tmpdir(), 'video-ssl-commit-'));
    const git = (...args: string[]): number | null =>
      spawnSync('git', ['-C', project, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args]).status;
    try {
      if (git('init') !== 0) this.skip();
      const installed = path.join(project, 'node_modules', 'video-ssl');
      await mkdir(installed, { recursive: true });
      await writeFile(path.join(project, 'file'), '1');
      git('add', 'file');
      git('commit', '-m', 'x');
      assert.match((await commitOf(project))!, /^[0-9a-f]{12}$/);
      assert.equal(await commitOf(installed), undefined);
      await writeFile(path.join(project, 'file'), '2');
      assert.match((await commitOf(project))!, /^[0-9a-f]{12}, changed since$/);
      process.env['GIT_DIR'] = path.join(project, '.git');
      assert.equal(await commitOf(installed), undefined, 'within a hook of the project');
    } finally {
      delete process.env['GIT_DIR'];
      await rm(project, { recursive: true, force: true });
    }
  });

  it('mend what a limit of the process keeps from loading by the limit, and all else by the packages', async () => {
    const noMemory = 'WebAssembly.Memory(): could not allocate memory';
    const bound = { addressSpace: 2.048e9 };
    assert.equal(
      await remedyFor(noMemory, 'reinstall', bound),
      'raise the limit on memory, which is 2.0 GB: ulimit -v unlimited',
    );
    assert.match(await remedyFor('the process was ended by SIGABRT', 'reinstall', bound), /ulimit -v/);
    assert.equal(await remedyFor(noMemory, 'reinstall', {}), 'make memory free: close other programs');
    assert.match(await remedyFor('EMFILE: too many open files', 'reinstall', {}), /ulimit -n 1024/);
    for (const why of ["Cannot find package 'libsql'", 'the wasm backend of tfjs is of another version'])
      assert.equal(await remedyFor(why, 'reinstall', bound), 'reinstall');
    assert.equal(await remedyFor('the process was ended by SIGILL', 'reinstall', {}), 'reinstall');
  });

  it('take a control group’s limits for what they are', async () => {
    assert.deepEqual(lookAtCores('CPU', 8, 8, undefined), { name: 'processor', value: 'CPU, 8 cores', state: 'fine' });
    assert.match(lookAtCores('CPU', 8, 3, undefined).value, /8 cores; 3 of them for this process$/);
    const bound = lookAtCores('CPU', 8, 8, 1.5);
    assert.deepEqual([bound.state, bound.remedy], ['note', 'runs with --jobs 1']);
    assert.equal(lookAtMemory(1e9, 16e9, undefined).state, 'fine');
    assert.match(lookAtMemory(1e9, 16e9, 8e9).value, /1\.0 GB free of 16\.0 GB; a control group allows 8\.0 GB/);
    assert.equal(lookAtMemory(1e9, 16e9, 1e9).state, 'note');
    assert.equal(lookAtMemory(5e8, 1e9, undefined).state, 'note');
  });

  it('name Node where it is too old, by number and not by letters', () => {
    assert.equal(lookAtNode('v20.19.0', '>=20.19').state, 'fine');
    assert.equal(lookAtNode('v24.1.0', '>=20.19').state, 'fine');
    for (const old of ['v20.9.0', 'v18.20.1', 'v9.0.0']) {
      const { state, remedy } = lookAtNode(old, '>=20.19');
      assert.deepEqual([state, remedy], ['broken', 'install Node 20.19 or newer'], old);
    }
  });

  it('look at disks that are there, of folders that are not', async () => {
    const { findings } = await lookAtMachine(true);
    for (const name of ['cache', 'run folder', 'temporary'])
      assert.match(findings.find((finding) => finding.name === name)!.value, /, [\d.]+ [kMG]B free/);
  });

  it('name a cache that cannot be made, with what mends it', async () => {
    const before = process.env['VIDEO_SSL_CACHE'];
    process.env['VIDEO_SSL_CACHE'] = path.join(cli, 'cache');
    try {
      const look = async (isSetUp: boolean): Promise<Section> => {
        const { title, findings } = await lookAtMachine(isSetUp);
        return { title, findings: findings.filter(({ name }) => name === 'cache') };
      };
      const section = await look(false);
      const [cache] = section.findings;
      assert.match(cache!.value, /cli\.js\/cache, .* free; .*cli\.js cannot be written to$/);
      const remedy = 'set VIDEO_SSL_CACHE to a folder that can be written to';
      assert.deepEqual([cache!.state, cache!.remedy], ['missing', remedy]);
      const verdict = giveVerdict([section], 'set up');
      assert.deepEqual([verdict.runs, verdict.remedy], ['wasm', remedy]);
      // What another user set up serves those who may only read it.
      assert.equal((await look(true)).findings[0]!.state, 'note');
    } finally {
      if (before === undefined) delete process.env['VIDEO_SSL_CACHE'];
      else process.env['VIDEO_SSL_CACHE'] = before;
    }
  });

  it('give a remedy with whatever tool is missing, and none once what it brings is there', async () => {
    const before = { PYTHON: process.env['PYTHON'], CXX: process.env['CXX'] };
    process.env['PYTHON'] = '/nowhere/python';
    process.env['CXX'] = '/nowhere/g++';
    try {
      const looked = async (library: boolean, addon: boolean): Promise<Record<string, Finding>> =>
        Object.fromEntries((await lookAtTools({ library, addon })).findings.map((finding) => [finding.name, finding]));
      const nothing = await looked(false, false);
      assert.deepEqual([nothing['python']!.state, nothing['compiler']!.state], ['missing', 'missing']);
      assert.match(nothing['python']!.remedy!, /PYTHON/);
      assert.match(nothing['compiler']!.remedy!, /CXX/);
      // The library was fetched, and the addon could not be built.
      const half = await looked(true, false);
      assert.deepEqual([half['python']!.state, half['compiler']!.state], ['fine', 'missing']);
      const all = await looked(true, true);
      assert.deepEqual([all['python']!.state, all['compiler']!.state], ['fine', 'fine']);
    } finally {
      for (const [name, value] of Object.entries(before))
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
    }
  });

  it('name variables that bear on a run, and the values of switches only', () => {
    const { findings } = lookAtVariables({
      ...{ HTTP_PROXY: 'http://a:b@c', npm_config_registry: 'https://t:secret@r', PIP_INDEX_URL: 'https://secret' },
      ...{ TF_ENABLE_ONEDNN_OPTS: '0', TF_LOGS: '/home/secret/x', OMP_NUM_THREADS: '', PATH: '/secret', no_proxy: 'x' },
      ...{ LD_PRELOAD: '/secret.so', FFMPEG_PATH: '/secret/ffmpeg' },
    });
    assert.deepEqual(
      findings.map(({ value }) => value),
      [
        'HTTP_PROXY, PIP_INDEX_URL, no_proxy, npm_config_registry',
        'FFMPEG_PATH, LD_PRELOAD',
        'TF_ENABLE_ONEDNN_OPTS=0, TF_LOGS',
      ],
    );
  });

  it('name the GPU, its driver and the build for it, with the command that brings it', async () => {
    const before = process.env['VIDEO_SSL_CACHE'];
    process.env['VIDEO_SSL_CACHE'] = '/nowhere/cache';
    try {
      const { findings } = await lookAtGpu({ state: 'ready', driver: '550.54.15', gpus: ['NVIDIA H100', 'NVIDIA L4'] });
      const told = Object.fromEntries(findings.map(({ name, value }) => [name, value]));
      assert.equal(told['gpu'], 'NVIDIA H100, NVIDIA L4');
      assert.match(told['driver']!, /550\.54\.15/);
      assert.match(told['cuda build']!, /tensorflow 2\.\d+\.\d+ is not in the cache yet; it needs [\d.]+ GB/);
      const build = findings.find(({ name }) => name === 'cuda build')!;
      assert.equal(build.state, 'note');
      assert.match(build.remedy!, /setup.* --device gpu|free some space/);
    } finally {
      if (before === undefined) delete process.env['VIDEO_SSL_CACHE'];
      else process.env['VIDEO_SSL_CACHE'] = before;
    }
  });

  it('ask for nothing where there is no GPU, and name what stands in the way of one', async () => {
    const without = await lookAtGpu({ state: 'absent', reason: 'no NVIDIA driver was found' });
    for (const { state, remedy } of without.findings) assert.deepEqual([state, remedy], ['fine', undefined]);
    const old = await lookAtGpu({ state: 'unusable', reason: 'the driver is too old', remedy: 'a newer one' });
    assert.deepEqual(old.findings[0], {
      name: 'driver',
      value: 'the driver is too old',
      state: 'note',
      remedy: 'a newer one',
    });
  });
});

describe('doctor: verdict', () => {
  const finding = (name: string, state: Finding['state'], remedy?: string): Finding => ({
    name,
    value: 'x',
    state,
    ...(remedy ? { remedy } : {}),
  });
  const of = (...findings: Finding[]) => giveVerdict([{ title: 'All', findings }], 'set it up');

  it('goes from what is broken over what is missing to what is there, with one command', () => {
    const python = finding('python', 'missing', 'apt-get install python3 python3-pip');
    const compiler = finding('compiler', 'missing', 'apt-get install g++');
    const sharp = finding('pictures', 'broken', 'npm ci --include=optional');
    assert.deepEqual(of(finding('loads', 'fine')), {
      runs: 'native',
      says: 'All is here: native TensorFlow runs.',
    });
    assert.deepEqual([of(finding('memory', 'note', 'x')).runs, of().remedy], ['set-up', 'set it up']);
    const slow = of(python, compiler);
    assert.deepEqual([slow.runs, slow.remedy], ['wasm', 'apt-get install python3 python3-pip g++']);
    assert.match(slow.says, /lacks python and compiler/);
    const not = of(python, sharp, { ...sharp, name: 'ledger' });
    assert.deepEqual([not.runs, not.remedy], ['nothing', 'npm ci --include=optional']);
    assert.match(not.says, /before pictures and ledger is mended/);
  });

  it('is the last line, below marks and remedies, and the home folder is shown as ~ wherever it stands', () => {
    const sections: Section[] = [
      {
        title: 'Video',
        findings: [
          {
            name: 'ffmpeg',
            value: 'none in /home/ann/bin, /home/anna/bin',
            state: 'broken',
            remedy: 'look in /home/ann',
          },
          { name: 'old', value: 'v1', state: 'note' },
        ],
      },
    ];
    const verdict = giveVerdict(sections, 'set up');
    const lines = formatDiagnosis({ healthy: false, sections, verdict }, '/home/ann');
    assert.deepEqual(lines, [
      'Video',
      '✗ ffmpeg       none in ~/bin, /home/anna/bin',
      '               to mend it: look in ~',
      '! old          v1',
      'Nothing runs here before ffmpeg is mended. To mend it: look in ~',
    ]);
    const json = JSON.parse(diagnosisJson({ healthy: false, sections, verdict }, '/home/ann')) as Diagnosis;
    assert.equal(json.sections[0]!.findings[0]!.value, 'none in ~/bin, /home/anna/bin');
    assert.match(formatDiagnosis({ healthy: false, sections, verdict }, '/')[1]!, /\/home\/ann\/bin/);
  });
});

describe('limits of groups and of the process', () => {
  let root: string;
  beforeEach(async () => void (root = await mkdtemp(path.join(tmpdir(), 'video-ssl-groups-'))));
  afterEach(() => rm(root, { recursive: true, force: true }));
  const put = async (name: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), `${text}\n`);
  };

  it('takes the smallest limit from a group up to the root, of version 2', async () => {
    await put('proc/self/cgroup', '0::/user/job');
    await put('sys/fs/cgroup/user/job/cpu.max', 'max 100000');
    await put('sys/fs/cgroup/user/cpu.max', '150000 100000');
    await put('sys/fs/cgroup/user/job/memory.max', '4000000000');
    await put('sys/fs/cgroup/user/memory.max', '2000000000');
    await put('sys/fs/cgroup/memory.max', 'max');
    assert.deepEqual(await readGroupLimits(root), { cores: 1.5, memory: 2e9 });
  });

  it('reads version 1, where no limit is a number beyond all memory or -1', async () => {
    await put('proc/self/cgroup', '5:memory:/a\n3:cpu,cpuacct:/a\n0::/');
    await put('sys/fs/cgroup/memory/a/memory.limit_in_bytes', '9223372036854771712');
    await put('sys/fs/cgroup/cpu/a/cpu.cfs_quota_us', '-1');
    await put('sys/fs/cgroup/cpu/a/cpu.cfs_period_us', '100000');
    assert.deepEqual(await readGroupLimits(root), {});
    await put('sys/fs/cgroup/memory/memory.limit_in_bytes', '1000000000');
    await put('sys/fs/cgroup/cpu/a/cpu.cfs_quota_us', '50000');
    assert.deepEqual(await readGroupLimits(root), { cores: 0.5, memory: 1e9 });
  });

  it('reads the limit on addresses, where there is one', async () => {
    const limits = (soft: string): string =>
      `Limit                     Soft Limit           Hard Limit           Units\nMax address space         ${soft}           unlimited            bytes`;
    await put('proc/self/limits', limits('2048000000'));
    assert.deepEqual(await readProcessLimits(root), { addressSpace: 2048000000 });
    await put('proc/self/limits', limits('unlimited'));
    assert.deepEqual(await readProcessLimits(root), {});
    assert.deepEqual(await readProcessLimits(path.join(root, 'nowhere')), {});
  });

  it('finds none where there are no control groups', async () => {
    assert.deepEqual(await readGroupLimits(path.join(root, 'nowhere')), {});
  });
});
