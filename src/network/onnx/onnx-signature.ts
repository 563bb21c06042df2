import protobuf from 'protobufjs/light.js';
import { elementTypes } from './onnx-proto.js';

/** An input or output as a file of others declares it; an axis of unknown length has its name, or `?`. */
export type DeclaredValue = {
  readonly name: string;
  /** Absent where the file does not say. */
  readonly shape?: readonly (number | string)[];
  readonly isFloat32: boolean;
};

/** What goes in and out of an ONNX file, and what it says of itself. */
export type OnnxSignature = {
  readonly inputs: readonly DeclaredValue[];
  readonly outputs: readonly DeclaredValue[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Files that weights lie in, as it names them: relative to its own folder. */
  readonly externalFiles: readonly string[];
};

/** Most things of one kind that are noted: networks have some thousands of constants, and two bytes can stand for one. */
const mostOfAKind = 100_000;
/** Most axes of an input or output; tensors of frameworks have at most eight. */
const mostAxes = 64;
/** Deepest nesting of graphs in attributes (branches, loops). */
const mostLevels = 32;

const externalLocation = 1;

class OnnxProblem extends Error {}

type Visit = (id: number, reader: protobuf.Reader) => boolean;

/**
 * Goes through the fields of a message up to `end`; what `visit` does not read (and says so) is passed over. Nothing is held but what
 * `visit` keeps.
 */
const fieldsOf = (reader: protobuf.Reader, end: number, visit: Visit): void => {
  if (end > reader.len) throw new OnnxProblem('a part reaches beyond its end');
  while (reader.pos < end) {
    const tag = reader.uint32();
    if ((tag & 7) !== 0 && (tag & 7) !== 2) {
      // No field that is read here is of another kind; groups, which can be nested without end, are none of ONNX.
      if ((tag & 7) === 3 || (tag & 7) === 4) throw new OnnxProblem('it holds groups');
      reader.skipType(tag & 7);
    } else if (!visit(tag, reader)) reader.skipType(tag & 7);
  }
  if (reader.pos !== end) throw new OnnxProblem('a part reaches beyond the one that holds it');
};

const part = (reader: protobuf.Reader, visit: Visit): void => {
  const length = reader.uint32();
  fieldsOf(reader, reader.pos + length, visit);
};

/** Tags of fields: number and kind. */
const text = (id: number): number => (id << 3) | 2;
const whole = (id: number): number => id << 3;

const push = <T>(list: T[], value: T, most = mostOfAKind): void => {
  if (list.push(value) > most) throw new OnnxProblem(`it holds more than ${most} things of one kind`);
};

const wholeNumber = (reader: protobuf.Reader): number => Number(reader.int64() as unknown as { toString(): string });

const dimension = (reader: protobuf.Reader): number | string => {
  let axis: number | string = '?';
  part(reader, (tag) => {
    if (tag === whole(1)) {
      const length = wholeNumber(reader);
      if (length > 0) axis = length;
    } else if (tag === text(2)) axis = reader.string() || '?';
    else return false;
    return true;
  });
  return axis;
};

const readValue = (reader: protobuf.Reader): DeclaredValue => {
  let name = '';
  let shape: (number | string)[] | undefined;
  let isFloat32 = false;
  const visitShape: Visit = (tag) => {
    if (tag !== text(1)) return false;
    push(shape!, dimension(reader), mostAxes);
    return true;
  };
  const visitTensorType: Visit = (tag) => {
    if (tag === whole(1)) isFloat32 = reader.int32() === elementTypes.float32;
    else if (tag === text(2)) {
      shape ??= [];
      part(reader, visitShape);
    } else return false;
    return true;
  };
  const visitType: Visit = (tag) => {
    if (tag !== text(1)) return false;
    part(reader, visitTensorType);
    return true;
  };
  part(reader, (tag) => {
    if (tag === text(1)) name = reader.string();
    else if (tag === text(2)) part(reader, visitType);
    else return false;
    return true;
  });
  return { name, isFloat32, ...(shape ? { shape } : {}) };
};

const readEntry = (reader: protobuf.Reader): readonly [key: string, value: string] => {
  let [key, value] = ['', ''];
  part(reader, (tag) => {
    if (tag === text(1)) key = reader.string();
    else if (tag === text(2)) value = reader.string();
    else return false;
    return true;
  });
  return [key, value];
};

/** What is noted of a file while it is gone through. */
type Notes = {
  readonly constants: string[];
  readonly inputs: DeclaredValue[];
  readonly outputs: DeclaredValue[];
  readonly metadata: (readonly [string, string])[];
  readonly externalFiles: string[];
  hasGraph: boolean;
};

/** A constant, wherever it stands: its name, and the file that its values lie in. */
const readTensor = (reader: protobuf.Reader, notes: Notes): string => {
  let name = '';
  let isExternal = false;
  let location = '';
  part(reader, (tag) => {
    if (tag === text(8)) name = reader.string();
    else if (tag === whole(14)) isExternal = reader.int32() === externalLocation;
    else if (tag === text(13)) {
      const [key, value] = readEntry(reader);
      if (key === 'location') location = value;
    } else return false;
    return true;
  });
  if (isExternal && !notes.externalFiles.includes(location)) push(notes.externalFiles, location, 1000);
  return name;
};

const readSparse = (reader: protobuf.Reader, notes: Notes): void =>
  part(reader, (tag) => {
    if (tag !== text(1) && tag !== text(2)) return false;
    readTensor(reader, notes);
    return true;
  });

/** Attributes hold constants and whole graphs, which can name files as well. */
const readAttribute = (reader: protobuf.Reader, notes: Notes, level: number): void =>
  part(reader, (tag) => {
    if (tag === text(5) || tag === text(10)) readTensor(reader, notes);
    else if (tag === text(6) || tag === text(11)) readGraph(reader, notes, level + 1);
    else if (tag === text(22) || tag === text(23)) readSparse(reader, notes);
    else return false;
    return true;
  });

const readNode = (reader: protobuf.Reader, notes: Notes, level: number): void =>
  part(reader, (tag) => {
    if (tag !== text(5)) return false;
    readAttribute(reader, notes, level);
    return true;
  });

const readGraph = (reader: protobuf.Reader, notes: Notes, level: number): void => {
  if (level > mostLevels) throw new OnnxProblem(`its graphs are nested more than ${mostLevels} deep`);
  const isOuter = level === 0;
  part(reader, (tag) => {
    if (tag === text(1)) readNode(reader, notes, level);
    else if (tag === text(5)) {
      const name = readTensor(reader, notes);
      if (isOuter) push(notes.constants, name);
    } else if (tag === text(15)) readSparse(reader, notes);
    else if (isOuter && tag === text(11)) push(notes.inputs, readValue(reader));
    else if (isOuter && tag === text(12)) push(notes.outputs, readValue(reader));
    else return false;
    return true;
  });
};

const readFunction = (reader: protobuf.Reader, notes: Notes): void =>
  part(reader, (tag) => {
    if (tag === text(7)) readNode(reader, notes, 0);
    else if (tag === text(11)) readAttribute(reader, notes, 0);
    else return false;
    return true;
  });

const readModelFields = (reader: protobuf.Reader, notes: Notes): void =>
  fieldsOf(reader, reader.len, (tag) => {
    if (tag === text(7)) {
      notes.hasGraph = true;
      readGraph(reader, notes, 0);
    } else if (tag === text(14)) push(notes.metadata, readEntry(reader));
    else if (tag === text(25)) readFunction(reader, notes);
    else return false;
    return true;
  });

/**
 * Reads what an ONNX file declares, without running it, in one pass that holds nothing of its weights and nodes: time grows with the file,
 * memory does not. Files of weights are found wherever the format lets them be named: among constants, in attributes, in the graphs of
 * branches and loops, in functions. `source` names the file in messages.
 *
 * @throws Error where the bytes are no ONNX file
 */
export const readOnnxSignature = (bytes: Uint8Array, source: string): OnnxSignature => {
  const notes: Notes = { constants: [], inputs: [], outputs: [], metadata: [], externalFiles: [], hasGraph: false };
  try {
    readModelFields(protobuf.Reader.create(bytes), notes);
  } catch (error) {
    const why = error instanceof OnnxProblem ? error.message : 'it ends within a value, or holds bytes that are none';
    throw new Error(`${source} is no ONNX file: ${why}`, { cause: error });
  }
  const { inputs, outputs, externalFiles } = notes;
  if (!notes.hasGraph || outputs.length === 0)
    throw new Error(`${source} is no ONNX file: it has no graph with outputs`);
  // Old files list constants among the inputs.
  const constants = new Set(notes.constants);
  return {
    inputs: inputs.filter(({ name }) => !constants.has(name)),
    outputs,
    metadata: Object.fromEntries(notes.metadata),
    externalFiles: externalFiles.sort(),
  };
};
