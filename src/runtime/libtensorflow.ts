import type { WheelRequest } from '../provision/fetch-wheel.js';

/** `cpu` computes on the processor alone; `cuda` on an NVIDIA GPU, and on the processor where there is none. */
export type TensorflowBuild = 'cpu' | 'cuda';

/** A wheel and what of it is wanted, without where it goes. */
export type LibraryWheel = Omit<WheelRequest, 'log' | 'scrutiny' | 'cache'>;

/** The pinned TensorFlow library of a kind of machine. */
export type Libtensorflow = {
  readonly build: TensorflowBuild;
  /** Of TensorFlow; the same for all builds of a machine. */
  readonly version: string;
  /** The wheel that holds TensorFlow's C library and headers. */
  readonly tensorflow: LibraryWheel;
  /** Wheels of shared libraries that TensorFlow opens by their names as it looks for a GPU; it uses none unless it gets all. */
  readonly companions: readonly LibraryWheel[];
};

/**
 * The TensorFlow library for a platform and processor, or `undefined` where none is pinned. It comes out of the Python wheel,
 * which holds the same C library as Google's libtensorflow archives, from an index that every machine with pip reaches. The builds
 * are of one version: the addon, the ops and their numbers on the CPU are the same.
 */
export function libtensorflowFor(
  platform: string,
  arch: string,
  build: TensorflowBuild = 'cpu',
): Libtensorflow | undefined {
  return LIBRARIES[`${platform}-${arch}`]?.[build];
}

/** Bytes of all its wheels, and of what is kept of them. */
export function sizeOf({ tensorflow, companions }: Libtensorflow): { download: number; kept: number } {
  const wheels = [tensorflow, ...companions];
  const sum = (of: (wheel: LibraryWheel) => number): number => wheels.reduce((total, wheel) => total + of(wheel), 0);
  return { download: sum(({ bytes }) => bytes), kept: sum(({ unpackedBytes }) => unpackedBytes) };
}

const VERSION = '2.21.0';

/** What of TensorFlow's wheel is needed: the C library with its framework half, and the headers that tfjs-node's two C++ files include. */
const MEMBERS = [
  'tensorflow/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2',
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/',
  'tensorflow/include/tsl/',
  'tensorflow/include/xla/tsl/',
] as const;

const TENSORFLOW = {
  version: VERSION,
  platform: 'manylinux_2_27_x86_64',
  pythonVersion: '3.12',
  members: MEMBERS,
} as const;

/** A wheel of NVIDIA's: `folder` is the one that it puts its libraries in, of which `libraries` are taken. */
const nvidia = (
  folder: string,
  libraries: readonly string[],
  pin: Pick<LibraryWheel, 'version' | 'sha256' | 'platform' | 'bytes' | 'unpackedBytes'>,
): LibraryWheel => ({
  package: `nvidia-${folder.replaceAll('_', '-')}-cu12`,
  members: libraries.map((library) => `nvidia/${folder}/lib/${library}.so.*`),
  ...pin,
});

/**
 * What TensorFlow opens before it takes a GPU (`cudart`, `cublas`, `cublasLt`, `cufft`, `cusolver`, `cusparse`, `cudnn`), and what those
 * open in turn (`nvJitLink`, `nvrtc`): as TensorFlow's own extra `and-cuda` resolves, without what only profiling, XLA and several GPUs need.
 */
const COMPANIONS: readonly LibraryWheel[] = [
  nvidia('cuda_runtime', ['libcudart'], {
    version: '12.9.79',
    sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
    platform: 'manylinux2014_x86_64',
    bytes: 3_493_179,
    unpackedBytes: 741_088,
  }),
  nvidia('cublas', ['libcublas', 'libcublasLt'], {
    version: '12.9.3.13',
    sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
    platform: 'manylinux_2_27_x86_64',
    bytes: 581_217_458,
    unpackedBytes: 854_310_592,
  }),
  nvidia('cudnn', ['libcudnn', 'libcudnn_*'], {
    version: '9.28.0.42',
    sha256: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
    platform: 'manylinux_2_27_x86_64',
    bytes: 716_538_495,
    unpackedBytes: 1_162_393_472,
  }),
  nvidia('cufft', ['libcufft'], {
    version: '11.4.1.4',
    sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
    platform: 'manylinux2014_x86_64',
    bytes: 200_877_592,
    unpackedBytes: 291_507_928,
  }),
  nvidia('cusolver', ['libcusolver'], {
    version: '11.7.5.82',
    sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
    platform: 'manylinux_2_27_x86_64',
    bytes: 338_117_415,
    unpackedBytes: 302_024_152,
  }),
  nvidia('cusparse', ['libcusparse'], {
    version: '12.5.10.65',
    sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
    platform: 'manylinux2014_x86_64',
    bytes: 366_465_088,
    unpackedBytes: 486_556_368,
  }),
  nvidia('nvjitlink', ['libnvJitLink'], {
    version: '12.9.86',
    sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
    platform: 'manylinux2010_x86_64',
    bytes: 39_748_338,
    unpackedBytes: 95_935_344,
  }),
  nvidia('cuda_nvrtc', ['libnvrtc', 'libnvrtc-builtins'], {
    version: '12.9.86',
    sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
    platform: 'manylinux2010_x86_64',
    bytes: 89_568_129,
    unpackedBytes: 113_447_240,
  }),
];

const LIBRARIES: { readonly [machine: string]: { readonly [build in TensorflowBuild]: Libtensorflow } } = {
  'linux-x64': {
    cpu: {
      build: 'cpu',
      version: VERSION,
      tensorflow: {
        ...TENSORFLOW,
        package: 'tensorflow-cpu',
        sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
        bytes: 274_000_871,
        unpackedBytes: 859_000_000,
      },
      companions: [],
    },
    cuda: {
      build: 'cuda',
      version: VERSION,
      tensorflow: {
        ...TENSORFLOW,
        package: 'tensorflow',
        sha256: 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0',
        bytes: 572_611_111,
        unpackedBytes: 1_264_203_217,
      },
      companions: COMPANIONS,
    },
  },
};
