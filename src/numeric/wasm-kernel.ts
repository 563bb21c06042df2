/** What is used here of a global that TypeScript knows of browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

type WasmMemory = { readonly buffer: ArrayBuffer; grow(pages: number): number };

const pageBytes = 2 ** 16;
/** Regions begin at multiples of a vector's bytes, and none at 0. */
const alignment = 16;

/**
 * An inner loop in WebAssembly with SIMD (`kernels/`, compiled by `npm run build:kernels`), and the memory that it works on. A kernel
 * allocates nothing and keeps nothing: its caller lays out regions of the memory, fills them through the views, hands their addresses
 * to the functions, and reads what they leave.
 */
export class WasmKernel<Functions extends object> {
  readonly functions: Functions;
  readonly #memory: WasmMemory;
  #bytes = new Uint8Array(0);
  #ints = new Int32Array(0);
  #floats = new Float32Array(0);

  /** @param base64 the module, as `npm run build:kernels` writes it */
  constructor(base64: string) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(base64, 'base64')));
    this.functions = exports as Functions;
    this.#memory = (exports as { readonly memory: WasmMemory }).memory;
  }

  /** All of the memory, byte by byte. A view ends when `place` makes the memory grow: take it anew after that. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The same as int32: an address divided by 4. */
  get ints(): Int32Array {
    return this.#ints;
  }

  /** The same as float32: an address divided by 4. */
  get floats(): Float32Array {
    return this.#floats;
  }

  /**
   * Lays out regions one after the other, and makes the memory hold them.
   *
   * @param lengths of the regions, bytes
   * @param from the address that the first begins at or after; what was laid out from there on before is given up. @default the beginning
   * @returns the address of each region, then that of the end
   */
  place(lengths: readonly number[], from: number = alignment): number[] {
    let end = aligned(from);
    const addresses = lengths.map((length) => {
      const address = end;
      end = aligned(end + length);
      return address;
    });
    if (end > this.#bytes.length) {
      this.#memory.grow(Math.ceil((end - this.#bytes.length) / pageBytes));
      const { buffer } = this.#memory;
      this.#bytes = new Uint8Array(buffer);
      this.#ints = new Int32Array(buffer);
      this.#floats = new Float32Array(buffer);
    }
    return [...addresses, end];
  }
}

const aligned = (address: number): number => Math.ceil(address / alignment) * alignment;

/** A kernel that is compiled when it is first asked for, once in each thread: what its users share is the code and the scratch memory. */
export const sharedKernel = <Functions extends object>(base64: string): (() => WasmKernel<Functions>) => {
  let kernel: WasmKernel<Functions> | undefined;
  return () => (kernel ??= new WasmKernel<Functions>(base64));
};
