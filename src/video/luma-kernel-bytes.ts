// Written by `npm run build:kernels` from kernels/luma.ts.

/** The functions of kernels/luma.ts; addresses and lengths in bytes. */
export type LumaKernel = {
  sumCells(
    plane: number,
    width: number,
    across: number,
    down: number,
    count: number,
    skipX: number,
    skipY: number,
    sums: number,
  ): void;
  halve(from: number, width: number, height: number, to: number): void;
};

/** Its WebAssembly module, base64. */
export const lumaKernelBytes =
  'AGFzbQEAAAABEwJgBH9/f38AYAh/f39/f39/fwADAwIAAQUDAQAABx0DCHN1bUNlbGxzAAEFaGFsdmUAAAZtZW1vcnkCAAqqBALEAQEHfyABQQF1IQYDQCAFQQJqIAJMBEAgACABIAVsaiIHIAFqIQhBACEEA0AgBCAGSARAIAMgBGogBEEBdCIKIAdqIgn9AAQA/X0gCCAKaiIK/QAEAP19/Y4B/QwCAAIAAgACAAIAAgACAAIA/Y4BQQL9jQEgCf0ABBD9fSAK/QAEEP19/Y4B/QwCAAIAAgACAAIAAgACAAIA/Y4BQQL9jQH9Zv0LBAAgBEEQaiEEDAELCyADIAZqIQMgBUECaiEFDAELCwvhAgIJfwJ7/Qz/AP8A/wD/AP8A/wD/AP8A/Qz/////////////////////IAVBAkYbIREDQCAEIA9KBEAgAyAPQQJ0aigCACEKIAMgBCAPakECdGooAgAhDEEAIRADQCAEIBBKBEAgAiAEIBBqQQJ0aigCACACIBBBAnRqKAIAIgtrIQ79DAAAAAAAAAAAAAAAAAAAAAAhEiAKIQUDQCAFIAxIBEAgACABIAVsIAtqaiENQQAhCQNAIAlBEGoiCCAOTARAIBIgCSANav0ABAAgEf1O/X39f/2uASESIAghCQwBCwsgEiAJIA1q/QAEAP0MAAECAwQFBgcICQoLDA0ODyAOIAlr/Q/9JiAR/U79Tv19/X/9rgEhEiAFIAZqIQUMAQsLIAcgBCAPbCAQakECdGogEv0bACAS/RsBaiAS/RsCaiAS/RsDajYCACAQQQFqIRAMAQsLIA9BAWohDwwBCwsL';
