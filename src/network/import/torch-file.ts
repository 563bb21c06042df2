import AdmZip from 'adm-zip';
import { shortened } from '../../pipeline/shortened.js';
import type { StoredTensor } from '../safetensors.js';
import { inWords, PickleProblem, unpickle, type Pickled, type PickledName } from './pickle.js';

/** Memory that arrays lie in, as a file refers to it. */
type Storage = { readonly kind: 'storage'; readonly type: string; readonly key: string; readonly count: number };

/** An array of a file: a view of a storage. */
type View = {
  readonly kind: 'view';
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
};

type Value = Pickled<Storage | View>;

/** Bytes a value, of the storages that weights and PyTorch's counters of batches lie in. */
const storageTypes: Readonly<Record<string, number>> = { 'torch FloatStorage': 4, 'torch LongStorage': 8 };

const asMade = (value: Value | undefined): Storage | View | undefined =>
  typeof value === 'object' && value !== null && 'made' in value ? value.made : undefined;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const counts = (value: Value | undefined): readonly number[] | undefined =>
  Array.isArray(value) && value.every(isCount) ? (value as number[]) : undefined;

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const rebuildTensor = ([made, offset, shape, strides]: readonly Value[]): Value => {
  const storage = asMade(made);
  const [sides, steps] = [counts(shape), counts(strides)];
  if (storage?.kind !== 'storage' || !isCount(offset) || !sides || !steps || sides.length !== steps.length) {
    throw new PickleProblem('an array has no proper storage, offset, shape and strides');
  }
  const size = product(sides);
  const last = size === 0 ? -1 : sides.reduce((sum, side, i) => sum + (side - 1) * steps[i]!, offset);
  if (last >= storage.count || size > storage.count) {
    throw new PickleProblem(
      `an array of shape [${sides.join(', ')}], strides [${steps.join(', ')}] and offset ${offset} reaches beyond its storage of ${storage.count} values`,
    );
  }
  return { made: { kind: 'view', storage, offset, shape: sides, strides: steps } };
};

/** The three calls that `torch.save` writes for a dictionary of arrays and parameters. */
const calls: Readonly<Record<string, (args: readonly Value[]) => Value>> = {
  'collections OrderedDict': (args) => {
    if (args.length > 0) throw new PickleProblem('an ordered dictionary is made of arguments');
    return new Map();
  },
  'torch._utils _rebuild_tensor_v2': rebuildTensor,
  'torch._utils _rebuild_parameter': ([value]) => {
    if (asMade(value)?.kind !== 'view') throw new PickleProblem('a parameter is made of something else than an array');
    return value!;
  },
};

const call = (name: string, args: readonly Value[]): Value => {
  const known = Object.hasOwn(calls, name) ? calls[name] : undefined;
  if (known) return known(args);
  throw new PickleProblem(
    `it calls \`${name.replace(' ', '.')}\`, which has no part in a dictionary of arrays (nothing was executed). ` +
      'Save the weights alone: torch.save(model.state_dict(), FILE)',
  );
};

const refer = (id: Value): Value => {
  const [word, type, key, , count] = Array.isArray(id) ? (id as readonly Value[]) : [];
  const name = (type as PickledName | undefined)?.name;
  if (word !== 'storage' || typeof name !== 'string' || typeof key !== 'string' || !isCount(count)) {
    throw new PickleProblem('it refers to something else than a storage');
  }
  // A view of another storage, as files of before 2018 have it.
  if (Array.isArray(id) && id[5] !== undefined && id[5] !== null)
    throw new PickleProblem('a storage is a view of another');
  return { made: { kind: 'storage', type: name, key, count } };
};

/** The bytes of each storage, by its key. */
type Storages = (storage: Storage) => Buffer;

const valuesOf = (name: string, { storage, offset, shape, strides }: View, storages: Storages): StoredTensor => {
  const width = Object.hasOwn(storageTypes, storage.type) ? storageTypes[storage.type]! : 0;
  if (width === 0) {
    throw new PickleProblem(
      `\`${name}\` lies in a ${storage.type.replace(' ', '.')}, expected float32 (or int64 for counters): save {name: values.float()}`,
    );
  }
  const bytes = storages(storage);
  if (bytes.length !== storage.count * width) {
    throw new PickleProblem(
      `the storage of \`${name}\` has ${bytes.length} bytes, its ${storage.count} values need ${storage.count * width}`,
    );
  }
  const size = product(shape);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const data = width === 4 ? new Float32Array(size) : new Int32Array(size);
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < size; i++) {
    if (width === 4) data[i] = view.getFloat32(4 * at, true);
    else data[i] = wholeNumber(name, view.getBigInt64(8 * at, true));
    // The next place, last axis first.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return { shape, data };
};

const wholeNumber = (name: string, value: bigint): number => {
  if (value !== BigInt.asIntN(32, value))
    throw new PickleProblem(`\`${name}\` holds ${value}, which is no 32-bit integer`);
  return Number(value);
};

/** `fileBytes` bounds what views that share a storage may come to: a small file must not fill the memory. */
const arraysOf = (saved: Value, storages: Storages, fileBytes: number): Map<string, StoredTensor> => {
  if (!(saved instanceof Map)) throw new PickleProblem('it holds something else than a dictionary of arrays');
  const tensors = new Map<string, StoredTensor>();
  let bytes = 0;
  for (const [name, value] of saved) {
    if (typeof name !== 'string')
      throw new PickleProblem(`its dictionary has the key ${inWords(name)}, expected names`);
    const view = asMade(value);
    if (view?.kind !== 'view') {
      const hint =
        value instanceof Map ? `: torch.save(checkpoint[${JSON.stringify(name)}], FILE) saves that part alone` : '';
      throw new PickleProblem(`\`${name}\` is no array${hint}`);
    }
    bytes += 4 * product(view.shape);
    if (bytes > 2 * fileBytes)
      throw new PickleProblem(`its arrays are more than twice as large as the file, by \`${name}\``);
    tensors.set(name, valuesOf(name, view, storages));
  }
  return tensors;
};

/** Most bytes of the part of an archive that says which arrays there are; their values lie in others. */
const maxPickleBytes = 16 * 1024 ** 2;

/** The format since PyTorch 1.6: an archive of uncompressed files, `NAME/data.pkl` and a file a storage. */
const readArchive = (bytes: Buffer): Map<string, StoredTensor> => {
  const entries = new Map<string, AdmZip.IZipEntry>();
  let claimed = 0;
  for (const entry of openZip(bytes)) {
    const { method, size, compressedSize } = entry.header;
    if (method !== 0 || size !== compressedSize) {
      throw new PickleProblem(`its part ${entry.entryName} is compressed, which torch.save never does`);
    }
    // Before memory is taken for it.
    claimed += size;
    if (claimed > bytes.length) throw new PickleProblem(`its parts claim more bytes than its ${bytes.length}`);
    if (entries.has(entry.entryName)) throw new PickleProblem(`it has two parts ${entry.entryName}`);
    entries.set(entry.entryName, entry);
  }
  const dataOf = (name: string): Buffer => {
    const entry = entries.get(name);
    if (!entry) throw new PickleProblem(`its part ${name} is missing`);
    try {
      return entry.getData();
    } catch (error) {
      throw new PickleProblem(`its part ${name} is damaged (${(error as Error).message})`);
    }
  };
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw new PickleProblem(`it is an archive with ${pickles.length} files data.pkl, expected one: not of torch.save`);
  }
  const root = pickles[0]!.slice(0, -'data.pkl'.length);
  const order = entries.has(`${root}byteorder`) ? dataOf(`${root}byteorder`).toString('utf8') : 'little';
  if (order !== 'little') throw new PickleProblem(`its bytes are in ${order}-endian order`);
  const { size } = entries.get(pickles[0]!)!.header;
  if (size > maxPickleBytes)
    throw new PickleProblem(`its data.pkl has ${size} bytes, expected at most ${maxPickleBytes}: it holds no arrays`);
  const { value } = unpickle<Storage | View>(dataOf(pickles[0]!), { call, refer });
  return arraysOf(value, ({ key }) => dataOf(`${root}data/${key}`), bytes.length);
};

const openZip = (bytes: Buffer): AdmZip.IZipEntry[] => {
  try {
    return new AdmZip(bytes, { noSort: true }).getEntries();
  } catch (error) {
    throw new PickleProblem(`it is no sound archive (${(error as Error).message})`);
  }
};

/** How a file of the format before PyTorch 1.6 begins: a pickle of this number. */
const streamMagic = 0x1950a86a20f9469cfc6cn;

/** The format before PyTorch 1.6: pickles one after another (magic, version, machine, arrays, keys), then the storages. */
const readStream = (bytes: Buffer): Map<string, StoredTensor> => {
  let at = 0;
  const next = (): Value => {
    const { value, end } = unpickle<Storage | View>(bytes, { call, refer }, at);
    at = end;
    return value;
  };
  if (next() !== streamMagic) throw new PickleProblem('it is a pickle, but not of torch.save');
  const version = next();
  if (version !== 1001) throw new PickleProblem(`it has version ${inWords(version)} of the format, expected 1001`);
  const machine = next();
  if (!(machine instanceof Map) || machine.get('little_endian') !== true) {
    throw new PickleProblem('its bytes are not in little-endian order');
  }
  const saved = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new PickleProblem('it has no list of storages');
  const types = storagesOf(saved);
  const storages = new Map<string, Buffer>();
  for (const key of keys as readonly Value[]) {
    const storage = typeof key === 'string' ? types.get(key) : undefined;
    if (!storage) throw new PickleProblem(`it lists a storage ${inWords(key)} that no array lies in`);
    if (at + 8 > bytes.length) throw new PickleProblem('it ends before its storages do');
    const count = bytes.readBigInt64LE(at);
    const width = storageTypes[storage.type] ?? 0;
    const length = Number(count) * width;
    at += 8;
    if (count < 0n || !Number.isSafeInteger(length) || at + length > bytes.length) {
      throw new PickleProblem(`its storage ${storage.key} claims ${count} values, ${bytes.length - at} bytes are left`);
    }
    storages.set(storage.key, bytes.subarray(at, (at += length)));
  }
  if (at !== bytes.length) throw new PickleProblem(`${bytes.length - at} bytes belong to no storage`);
  return arraysOf(
    saved,
    ({ key }) => {
      const found = storages.get(key);
      if (!found) throw new PickleProblem(`its storage ${key} is missing`);
      return found;
    },
    bytes.length,
  );
};

/** The storages that the arrays of a dictionary lie in, by key; of a type that is not read, the first is told. */
const storagesOf = (saved: Value): Map<string, Storage> => {
  const found = new Map<string, Storage>();
  for (const [name, value] of saved instanceof Map ? saved : []) {
    const view = asMade(value);
    if (view?.kind !== 'view') continue;
    // Refused here, since without its width nothing behind it can be found.
    if (!Object.hasOwn(storageTypes, view.storage.type)) valuesOf(String(name), view, () => Buffer.alloc(0));
    found.set(view.storage.key, view.storage);
  }
  return found;
};

/**
 * The arrays of a file that `torch.save(model.state_dict(), FILE)` wrote, in today's format or that of before PyTorch 1.6. Nothing in
 * the file is executed, and nothing but dictionaries of float32 arrays (and int64 counters) is read. Offsets, shapes, strides and
 * sizes are checked against the bytes that are there. `source` names the file in messages.
 *
 * @throws Error saying what in the file is not as expected
 */
export const readTorchFile = (bytes: Uint8Array, source: string): ReadonlyMap<string, StoredTensor> => {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.subarray(0, 4).equals(Buffer.from('PK\x03\x04'))) return readArchive(view);
    if (view[0] === 0x80) return readStream(view);
    throw new PickleProblem('it begins neither as an archive nor as a pickle');
  } catch (error) {
    if (error instanceof PickleProblem)
      throw new Error(`${source} is no file of PyTorch weights: ${shortened(error.message, 4000)}`);
    throw error;
  }
};
