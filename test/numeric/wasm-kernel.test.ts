import assert from 'node:assert/strict';
import { sharedKernel, WasmKernel } from '../../src/numeric/wasm-kernel.js';

/** A module of one function, `double(address)`, which doubles the int32 there, and a memory of no pages. */
const doubling = Buffer.from(
  [
    '0061736d01000000', // version 1
    '01050160017f00', // a type: from an int32 to nothing
    '03020100',
    '0503010000',
    '07130206646f75626c650000066d656d6f72790200', // `double` and `memory` go out
    '0a11010f002000200028020041026c3602000b', // store(address, load(address) * 2)
  ].join(''),
  'hex',
).toString('base64');

type Doubling = { double(address: number): void };

describe('a WebAssembly kernel', () => {
  it('works on the memory that its views show', () => {
    const kernel = new WasmKernel<Doubling>(doubling);
    const [address] = kernel.place([4]) as [number];
    kernel.ints[address / 4] = 21;
    kernel.functions.double(address);
    assert.equal(kernel.ints[address / 4], 42);
    assert.deepEqual([...kernel.bytes.subarray(address, address + 4)], [42, 0, 0, 0]);
    assert.equal(kernel.floats.byteLength, kernel.bytes.length);
  });

  it('has regions that do not overlap, each where vectors begin, none at 0', () => {
    const kernel = new WasmKernel<Doubling>(doubling);
    const lengths = [1, 16, 17, 0, 100];
    const addresses = kernel.place(lengths);
    assert.equal(addresses.length, lengths.length + 1);
    assert.ok(addresses[0]! > 0);
    addresses.forEach((address) => assert.equal(address % 16, 0));
    lengths.forEach((length, i) => assert.ok(addresses[i]! + length <= addresses[i + 1]!));
    assert.deepEqual(kernel.place([8], addresses[2]! + 1).slice(0, 1), [addresses[2]! + 16]);
  });

  it('has memory that grows as it is needed, and keeps what lies in it', () => {
    const kernel = new WasmKernel<Doubling>(doubling);
    assert.equal(kernel.bytes.length, 0);
    const [address, end] = kernel.place([8]) as [number, number];
    kernel.bytes[address] = 9;
    const before = kernel.bytes;
    kernel.place([100]);
    assert.equal(kernel.bytes, before);
    kernel.place([2 ** 20], end);
    assert.ok(kernel.bytes.length >= end + 2 ** 20);
    assert.equal(kernel.bytes[address], 9);
  });

  it('is compiled once, when it is first asked for', () => {
    const kernel = sharedKernel<Doubling>(doubling);
    assert.equal(kernel(), kernel());
    assert.throws(sharedKernel('AAAA'), /WebAssembly/);
  });
});
