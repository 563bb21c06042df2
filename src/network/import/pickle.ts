import { shortened } from '../../pipeline/shortened.js';

/** A name in a pickle, `torch FloatStorage`: never looked up, only compared. */
export type PickledName = { readonly name: string };

/** What a pickle of arrays holds. Tuples are arrays, dictionaries maps; `T` is what the caller makes of names and references. */
export type Pickled<T> =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Pickled<T>[]
  | Map<Pickled<T>, Pickled<T>>
  | PickledName
  | { readonly made: T };

/** What a reader makes of the two things that a pickle leaves to it. Both throw at what they do not know. */
export type PickleReader<T> = {
  /** `name(...args)`: the only way in which a pickle makes anything. */
  call(name: string, args: readonly Pickled<T>[]): Pickled<T>;
  /** A reference to something outside, such as a storage. */
  refer(id: Pickled<T>): Pickled<T>;
};

/** Thrown at a pickle that holds anything but what is known here. */
export class PickleProblem extends Error {
  override readonly name = 'PickleProblem';
}

/** A value in a few words, for messages. Not `String`, which walks lists: one that holds another twice, forty times over, has no end. */
export const inWords = <T>(value: Pickled<T>): string => {
  if (typeof value === 'string') return shortened(value, 80);
  if (typeof value !== 'object' || value === null) return shortened(String(value), 80);
  if (value instanceof Map) return 'a dictionary';
  if (Array.isArray(value)) return 'a list';
  return 'name' in value ? shortened(value.name, 80) : 'an array';
};

/** Marks a place on the stack. */
const mark = Symbol('mark');

/**
 * Most operations of a pickle. A dictionary of arrays takes some thirty an array, the networks of torchvision have some two thousand at most;
 * an empty list takes a byte of the file and a hundred of memory.
 */
export const maxPickleSteps = 1_000_000;

const opcodes = {
  proto: 0x80,
  stop: 0x2e,
  mark: 0x28,
  global: 0x63,
  emptyTuple: 0x29,
  emptyDict: 0x7d,
  emptyList: 0x5d,
  append: 0x61,
  appends: 0x65,
  reduce: 0x52,
  build: 0x62,
  binPut: 0x71,
  longBinPut: 0x72,
  binGet: 0x68,
  longBinGet: 0x6a,
  binUnicode: 0x58,
  binInt: 0x4a,
  binInt1: 0x4b,
  binInt2: 0x4d,
  long1: 0x8a,
  tuple: 0x74,
  tuple1: 0x85,
  tuple2: 0x86,
  tuple3: 0x87,
  newTrue: 0x88,
  newFalse: 0x89,
  none: 0x4e,
  setItem: 0x73,
  setItems: 0x75,
  binPersId: 0x51,
} as const;

/**
 * Reads one pickle of protocol 2, as `torch.save` writes it for a dictionary of arrays: numbers, strings, tuples, lists, dictionaries,
 * references, and calls that `reader` knows. Nothing in it is executed: a name is a string that `reader` compares, and every other
 * operation of the pickle machine is refused. Time and memory grow with the bytes read, of which {@link maxPickleSteps} are operations at most.
 *
 * @returns the value, and where the pickle ends
 * @throws PickleProblem naming the operation or name that is not known, or where the bytes end too early
 */
export const unpickle = <T>(
  bytes: Uint8Array,
  reader: PickleReader<T>,
  from = 0,
): { value: Pickled<T>; end: number } => {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: (Pickled<T> | typeof mark)[] = [];
  const memo = new Map<number, Pickled<T>>();
  let at = from;

  const take = (count: number): Buffer => {
    if (at + count > view.length) throw new PickleProblem(`it ends within a value at byte ${at}`);
    return view.subarray(at, (at += count));
  };
  const line = (): string => {
    const end = view.indexOf(0x0a, at);
    if (end < 0) throw new PickleProblem(`it ends within a name at byte ${at}`);
    const text = take(end - at).toString('utf8');
    at++;
    return text;
  };
  const pop = (): Pickled<T> => {
    const value = stack.pop();
    if (value === undefined || value === mark) throw new PickleProblem(`a value is missing before byte ${at}`);
    return value;
  };
  const popToMark = (): Pickled<T>[] => {
    const start = stack.lastIndexOf(mark);
    if (start < 0) throw new PickleProblem(`a mark is missing before byte ${at}`);
    const values = stack.slice(start + 1) as Pickled<T>[];
    stack.length = start;
    return values;
  };
  const top = (): Pickled<T> => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const dictionary = (): Map<Pickled<T>, Pickled<T>> => {
    const value = top();
    if (!(value instanceof Map)) throw new PickleProblem(`something else than a dictionary is filled at byte ${at}`);
    return value;
  };
  const list = (): Pickled<T>[] => {
    const value = top();
    if (!Array.isArray(value)) throw new PickleProblem(`something else than a list is filled at byte ${at}`);
    return value as Pickled<T>[];
  };
  const fill = (pairs: readonly Pickled<T>[]): void => {
    const into = dictionary();
    if (pairs.length % 2 !== 0) throw new PickleProblem(`a key without a value at byte ${at}`);
    for (let i = 0; i < pairs.length; i += 2) {
      if (into.has(pairs[i]!)) throw new PickleProblem(`the key ${inWords(pairs[i]!)} stands twice`);
      into.set(pairs[i]!, pairs[i + 1]!);
    }
  };
  const tuple = (length: number): void => {
    const values = Array.from({ length }, pop).reverse();
    stack.push(values);
  };
  const recall = (key: number): void => {
    const value = memo.get(key);
    if (value === undefined) throw new PickleProblem(`value ${key} is recalled, but was never kept`);
    stack.push(value);
  };

  for (let step = 0; ; step++) {
    if (step >= maxPickleSteps) throw new PickleProblem(`it has more than ${maxPickleSteps} operations`);
    const start = at;
    const opcode = take(1)[0]!;
    switch (opcode) {
      case opcodes.proto: {
        const protocol = take(1)[0]!;
        if (protocol !== 2) throw new PickleProblem(`it has protocol ${protocol}, expected 2`);
        break;
      }
      case opcodes.stop: {
        const value = pop();
        if (stack.length > 0) throw new PickleProblem(`${stack.length} values are left over`);
        return { value, end: at };
      }
      case opcodes.mark:
        stack.push(mark);
        break;
      case opcodes.global:
        stack.push({ name: `${line()} ${line()}` });
        break;
      case opcodes.reduce: {
        const [args, callee] = [pop(), pop()];
        if (!Array.isArray(args) || !isName(callee))
          throw new PickleProblem(`something else than a name is called at byte ${start}`);
        stack.push(reader.call(callee.name, args as readonly Pickled<T>[]));
        break;
      }
      case opcodes.build: {
        // Attributes of an ordered dictionary: PyTorch notes the versions of modules there. They say nothing of the arrays.
        const state = pop();
        dictionary();
        if (!(state instanceof Map)) throw new PickleProblem(`something else than attributes are set at byte ${start}`);
        break;
      }
      case opcodes.binPersId:
        stack.push(reader.refer(pop()));
        break;
      case opcodes.emptyTuple:
      case opcodes.emptyList:
        stack.push([]);
        break;
      case opcodes.emptyDict:
        stack.push(new Map());
        break;
      case opcodes.append: {
        const value = pop();
        list().push(value);
        break;
      }
      case opcodes.appends: {
        const values = popToMark();
        const into = list();
        for (const value of values) into.push(value);
        break;
      }
      case opcodes.setItem: {
        const [value, key] = [pop(), pop()];
        fill([key, value]);
        break;
      }
      case opcodes.setItems:
        fill(popToMark());
        break;
      case opcodes.tuple:
        stack.push(popToMark());
        break;
      case opcodes.tuple1:
        tuple(1);
        break;
      case opcodes.tuple2:
        tuple(2);
        break;
      case opcodes.tuple3:
        tuple(3);
        break;
      case opcodes.binPut:
        memo.set(take(1)[0]!, top());
        break;
      case opcodes.longBinPut:
        memo.set(take(4).readUInt32LE(), top());
        break;
      case opcodes.binGet:
        recall(take(1)[0]!);
        break;
      case opcodes.longBinGet:
        recall(take(4).readUInt32LE());
        break;
      case opcodes.binUnicode:
        stack.push(take(take(4).readUInt32LE()).toString('utf8'));
        break;
      case opcodes.binInt:
        stack.push(take(4).readInt32LE());
        break;
      case opcodes.binInt1:
        stack.push(take(1)[0]!);
        break;
      case opcodes.binInt2:
        stack.push(take(2).readUInt16LE());
        break;
      case opcodes.long1:
        stack.push(wholeNumber(take(take(1)[0]!)));
        break;
      case opcodes.newTrue:
        stack.push(true);
        break;
      case opcodes.newFalse:
        stack.push(false);
        break;
      case opcodes.none:
        stack.push(null);
        break;
      default:
        throw new PickleProblem(
          `operation 0x${opcode.toString(16).padStart(2, '0')} at byte ${start} has no part in a dictionary of arrays: ` +
            'a whole model, or a checkpoint? torch.save(model.state_dict(), FILE) saves the arrays alone',
        );
    }
  }
};

const isName = <T>(value: Pickled<T>): value is PickledName =>
  typeof value === 'object' && value !== null && 'name' in value;

/** Two's complement, little-endian. */
const wholeNumber = (bytes: Buffer): number | bigint => {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  value = BigInt.asIntN(8 * bytes.length, value);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
};
