import assert from 'node:assert/strict';
import { readTorchFile } from '../../../src/network/import/torch-file.js';
import type { StoredTensor } from '../../../src/network/safetensors.js';
import { pickleWords as w, statePickle, storedZip, torchParts, torchSave } from '../fixtures/torch-save.js';

const tensors = new Map<string, StoredTensor>([
  ['a.weight', { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 4, 5, 6) }],
  ['a.num_batches_tracked', { shape: [], data: Int32Array.of(7) }],
  ['none', { shape: [0, 2], data: new Float32Array(0) }],
]);

const archive = (pickle: Buffer): Buffer => {
  const parts = torchParts(tensors);
  parts[0]![1] = pickle;
  return storedZip(parts);
};

describe('a file of torch.save', () => {
  it('gives the arrays of a dictionary, counters as whole numbers', () => {
    assert.deepEqual(readTorchFile(torchSave(tensors), 'a.pth'), tensors);
  });

  it('gives views as PyTorch does: transposed, and from the middle of a storage', () => {
    const lies = { 'a.weight': { shape: [3, 2], strides: [1, 3] }, none: {} };
    const turned = readTorchFile(torchSave(tensors, lies), 'a.pth').get('a.weight')!;
    assert.deepEqual(turned, { shape: [3, 2], data: Float32Array.of(1, 4, -2, 5, 3.5, 6) });
    const row = { 'a.weight': { offset: 3, shape: [3], strides: [1] } };
    assert.deepEqual(readTorchFile(torchSave(tensors, row), 'a.pth').get('a.weight')!.data, Float32Array.of(4, 5, 6));
  });

  it('executes nothing: a call of anything else is refused by its name', () => {
    for (const [module, name] of [
      ['os', 'system'],
      ['builtins', 'eval'],
      ['torch._utils', '_rebuild_tensor'],
      ['collections', 'OrderedDict\u0000'],
      ['toString', ''],
    ] as const) {
      const pickle = Buffer.concat([w.proto, w.name(module, name), w.mark, w.text('echo'), w.tuple, w.reduce, w.stop]);
      assert.throws(
        () => readTorchFile(archive(pickle), 'evil.pth'),
        (error: Error) => error.message.includes(`${module}.${name}`) && /nothing was executed/.test(error.message),
      );
    }
  });

  it('is refused for more operations or bytes than any dictionary of arrays needs, before they take memory', () => {
    const lists = (count: number): Buffer => Buffer.concat([w.proto, Buffer.alloc(count, ']'), w.stop]);
    const refusal = (bytes: Buffer): string => {
      try {
        readTorchFile(bytes, 'a.pth');
        return 'none';
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.match(refusal(archive(lists(1_100_000))), /it has more than 1000000 operations/);
    assert.match(refusal(lists(1_100_000)), /it has more than 1000000 operations/);
    assert.match(refusal(archive(lists(17_000_000))), /its data\.pkl has 17000003 bytes, expected at most 16777216/);
  });

  it('refuses every operation that a dictionary of arrays does not need', () => {
    const known = new Set(
      [...'.(c)}]aeRbqrhjXJKMtNsuQ'].map((c) => c.charCodeAt(0)).concat(0x80, 0x8a, 0x85, 0x86, 0x87, 0x88, 0x89),
    );
    for (let opcode = 0; opcode < 256; opcode++) {
      if (known.has(opcode)) continue;
      const pickle = Buffer.from([0x80, 2, opcode, 0, 0, 0, 0, 0x2e]);
      assert.throws(
        () => readTorchFile(archive(pickle), 'a.pth'),
        /has no part in a dictionary of arrays/,
        `${opcode}`,
      );
    }
  });

  it('is refused wherever it is cut off', () => {
    const whole = statePickle(tensors);
    for (let length = 0; length < whole.length; length++) {
      assert.throws(
        () => readTorchFile(archive(whole.subarray(0, length)), 'a.pth'),
        /a\.pth is no file of PyTorch weights: /,
      );
    }
    const file = torchSave(tensors);
    for (let length = 0; length < file.length; length += 7) {
      assert.throws(() => readTorchFile(file.subarray(0, length), 'a.pth'), /a\.pth is no file of PyTorch weights: /);
    }
  });

  it('stays an error of ours whichever of its bytes is changed', () => {
    const file = torchSave(tensors);
    for (let at = 0; at < file.length; at++) {
      const changed = Buffer.from(file);
      changed[at]! ^= 0x55;
      try {
        readTorchFile(changed, 'a.pth');
      } catch (error) {
        assert.match((error as Error).message, /^a\.pth is no file of PyTorch weights: /, `byte ${at}`);
      }
    }
  });

  const lie = (what: string, file: () => Buffer, message: RegExp): void =>
    void it(`refuses ${what}`, () => assert.throws(() => readTorchFile(file(), 'a.pth'), message));

  const one =
    (view: object): (() => Buffer) =>
    () =>
      torchSave(tensors, { 'a.weight': view });
  lie(
    'a shape that reaches beyond its storage',
    one({ shape: [3, 3], strides: [3, 1] }),
    /reaches beyond its storage of 6/,
  );
  lie('an offset behind the end', one({ offset: 1 }), /reaches beyond/);
  lie('strides that reach beyond', one({ strides: [4, 1] }), /reaches beyond/);
  lie('a view that repeats its values', one({ shape: [1000, 1000], strides: [0, 0] }), /reaches beyond/);
  lie('a negative side', one({ shape: [-2, 3] }), /no proper storage, offset, shape and strides/);
  lie('more strides than sides', one({ strides: [3, 1, 1] }), /no proper storage/);
  lie('a storage that claims more values than it has', one({ count: 7 }), /has 24 bytes, its 7 values need 28/);
  lie(
    'half precision, and says what to do',
    one({ type: 'HalfStorage' }),
    /`a\.weight` lies in a torch\.HalfStorage.*values\.float\(\)/,
  );
  lie('a type named like a method', one({ type: 'toString' }), /torch\.toString, expected float32/);
  lie('compressed parts', () => storedZip(torchParts(tensors), { method: 8 }), /is compressed/);
  lie('a part whose checksum is another', () => storedZip(torchParts(tensors), { crc: 1 }), /is damaged/);
  lie(
    'a storage that is missing',
    () => storedZip(torchParts(tensors).filter(([name]) => name !== 'weights/data/0')),
    /data\/0 is missing/,
  );
  lie('two parts of one name', () => storedZip([...torchParts(tensors), ...torchParts(tensors)]), /two parts/);
  lie('an archive of something else', () => storedZip([['a.txt', Buffer.from('a')]]), /0 files data\.pkl/);
  lie(
    'big-endian bytes',
    () =>
      storedZip(torchParts(tensors).map(([name, data]) => [name, name.endsWith('order') ? Buffer.from('big') : data])),
    /big-endian/,
  );
  lie('something else', () => Buffer.from('{}'), /neither as an archive nor as a pickle/);
  lie('a pickle of something else', () => Buffer.concat([w.proto, w.none, w.stop]), /not of torch\.save/);
  lie(
    'a key that stands twice',
    () => {
      const pickle = Buffer.concat([
        w.proto,
        w.emptyDict,
        w.mark,
        w.text('a'),
        w.none,
        w.text('a'),
        w.none,
        w.setItems,
        w.stop,
      ]);
      return archive(pickle);
    },
    /key a stands twice/,
  );
  lie(
    'a checkpoint, and says which part to save',
    () => {
      const pickle = Buffer.concat([
        w.proto,
        w.emptyDict,
        w.mark,
        w.text('state_dict'),
        w.emptyDict,
        w.setItems,
        w.stop,
      ]);
      return archive(pickle);
    },
    /`state_dict` is no array: torch\.save\(checkpoint\["state_dict"\], FILE\)/,
  );
});
