import type { WheelRequest } from '../provision/fetch-wheel.js';

/** What of the wheel is needed: the C library with its framework half, and the headers that tfjs-node's two C++ files include. */
const MEMBERS = [
  'tensorflow/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2',
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/',
  'tensorflow/include/tsl/',
  'tensorflow/include/xla/tsl/',
] as const;

/** The pinned TensorFlow library of a kind of machine. */
export type Libtensorflow = Omit<WheelRequest, 'log' | 'scrutiny' | 'cache'>;

/**
 * The TensorFlow library for a platform and processor, or `undefined` where none is pinned. It comes out of the Python wheel,
 * which holds the same C library as Google's libtensorflow archives, from an index that every machine with pip reaches.
 */
export function libtensorflowFor(platform: string, arch: string): Libtensorflow | undefined {
  return LIBRARIES[`${platform}-${arch}`];
}

const LIBRARIES: { readonly [machine: string]: Libtensorflow } = {
  'linux-x64': {
    package: 'tensorflow-cpu',
    version: '2.21.0',
    sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
    platform: 'manylinux_2_27_x86_64',
    pythonVersion: '3.12',
    members: MEMBERS,
    bytes: 274_000_871,
    unpackedBytes: 859_000_000,
  },
};
