import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { runGpuSide } from '../../bench/gpu-run.js';
import { findPython } from '../../src/provision/python.js';
import { findCompiler } from '../../src/runtime/addon.js';
import { fetchLibtensorflow } from '../../src/runtime/fetch-libtensorflow.js';
import { libtensorflowFor } from '../../src/runtime/libtensorflow.js';
import { ensureNative } from '../../src/runtime/setup.js';

const run = promisify(execFile);
const repository = path.join(import.meta.dirname, '..', '..', '..');

/** A driver that answers: one GPU, and every call succeeds. Enough for TensorFlow to open all its libraries; nothing can be computed. */
const DRIVER = `
#include <string.h>
#define OK { return 0; }
int cuInit(unsigned flags) OK
int cuDriverGetVersion(int *version) { *version = 12090; return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetName(char *name, int length, int device) { strncpy(name, "Fake GPU", length); return 0; }
int cuDeviceTotalMem_v2(unsigned long *bytes, int device) { *bytes = 8ul << 30; return 0; }
int cuDeviceGetPCIBusId(char *id, int length, int device) { strncpy(id, "0000:01:00.0", length); return 0; }
int cuDeviceGetUuid(char *id, int device) { memset(id, 0, 16); return 0; }
int cuDeviceGetUuid_v2(char *id, int device) { memset(id, 0, 16); return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 10 ? 32 : 1024; // compute capability 9.0, warps of 32
  return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = (void *)16; return 0; }
int cuDevicePrimaryCtxRelease_v2(int device) OK
int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) OK
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) { *flags = 0; *active = 1; return 0; }
static void *current;
int cuCtxGetCurrent(void **context) { *context = current; return 0; }
int cuCtxSetCurrent(void *context) { current = context; return 0; }
int cuCtxGetDevice(int *device) { *device = 0; return 0; }
int cuCtxSynchronize(void) OK
int cuMemGetInfo_v2(unsigned long *left, unsigned long *total) { *left = 7ul << 30; *total = 8ul << 30; return 0; }
int cuGetErrorName(int error, const char **name) { *name = "FAKE"; return 0; }
int cuGetErrorString(int error, const char **text) { *text = "fake"; return 0; }
int nvmlInit_v2(void) OK
int nvmlShutdown(void) OK
`;

describe('the CUDA build of TensorFlow, on a machine without a GPU', () => {
  const library = libtensorflowFor(process.platform, process.arch, 'cuda');
  let addon: string;
  let folder: string;

  before(async function () {
    if (library === undefined) return this.skip();
    // Some 3 GB to download, unless the cache has it.
    const native = await ensureNative((line) => console.log(`      ${line}`), { build: 'cuda' });
    if (native.kind === 'fallback') {
      console.log(`      skipped: ${native.reason}`);
      return this.skip();
    }
    addon = native.addon;
    folder = await fetchLibtensorflow(library, { log: () => {} });
  });

  it('computes on the CPU, with the bytes of the CPU’s build', async () => {
    const side = { threads: 1, architecture: 'small', images: 8, steps: 2 };
    const env = { CUDA_VISIBLE_DEVICES: '-1' };
    const [cpu, cuda] = [
      await runGpuSide({ ...side, build: 'cpu' }, env),
      await runGpuSide({ ...side, build: 'cuda' }, env),
    ];
    assert.equal(cuda.device, 'cpu');
    assert.equal(cuda.version, cpu.version);
    assert.deepEqual(cuda.values, cpu.values);
    assert.equal(cuda.digest, cpu.digest);
  });

  it('finds all its libraries once a driver answers, and would take the GPU', async () => {
    const fake = await mkdtemp(path.join(tmpdir(), 'video-ssl-driver-'));
    try {
      const source = path.join(fake, 'driver.cc');
      await writeFile(source, `extern "C" {\n${DRIVER}\n}\n`);
      const [compiler, ...options] = await findCompiler();
      for (const name of ['libcuda.so.1', 'libnvidia-ml.so.1'])
        await run(compiler, [...options, '-shared', '-fPIC', '-w', '-o', path.join(fake, name), source]);
      const said = await whatIsSaid(fake, addon);
      for (const name of ['cudart', 'cublas', 'cublasLt', 'cufft', 'cusolver', 'cusparse', 'cudnn'])
        assert.match(said, new RegExp(`Successfully opened dynamic library lib${name}\\.so`));
      assert.doesNotMatch(said, /Could not load dynamic library|Cannot dlopen/);
      assert.match(said, /Adding visible gpu devices: 0/);
    } finally {
      await rm(fake, { recursive: true, force: true });
    }
  });

  it('has a kernel for GPUs of every op that is called by name, but those that ask for the device', async () => {
    const ops = await opsCalledByName(path.join(repository, 'src'));
    assert.ok(ops.includes('Conv2D') && ops.includes('FusedBatchNormGradV3'));
    const { command } = await findPython();
    const script = path.join(repository, 'bench', 'gpu_kernels.py');
    const { stdout } = await run(command, [script, path.join(folder, 'tensorflow/libtensorflow_cc.so.2'), ...ops]);
    const devices = JSON.parse(stdout) as Record<string, string[]>;
    const without = ops.filter((op) => !devices[op]!.includes('GPU') && !devices[op]!.includes('DEFAULT'));
    // Whoever adds an op here must have it asked for on the CPU only, and in test/runtime/on-gpu.test.ts.
    assert.deepEqual(without, ['_MklNativeMaxPool', '_MklNativeMaxPoolGrad']);
  });
});

/** What TensorFlow says as it starts with the fake driver. The process ends badly: no memory can be had of that GPU. */
function whatIsSaid(driver: string, addon: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const load = `const { TFJSBinding, ...rest } = require(process.argv[1]); rest.createTensor?.([], 1, new Float32Array(1))`;
    const child = spawn(process.execPath, ['-e', load, addon], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        LD_LIBRARY_PATH: driver,
        CUDA_VISIBLE_DEVICES: '0',
        TF_CPP_MIN_LOG_LEVEL: '0',
        TF_CPP_MAX_VLOG_LEVEL: '1',
      },
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString()));
    child.once('error', reject);
    child.once('close', () => resolve(said));
  });
}

/** Names given to `nativeOp` anywhere below a folder, sorted. */
async function opsCalledByName(source: string): Promise<string[]> {
  const found = new Set<string>();
  for (const name of await readdir(source, { recursive: true }))
    if (name.endsWith('.ts'))
      for (const [, op] of (await readFile(path.join(source, name), 'utf8')).matchAll(/nativeOp\(\s*'(\w+)'/g))
        found.add(op!);
  return [...found].sort();
}
