import type { Layer, Trunk } from '../../network/trunk.js';
import { tf, type Tensor, type Tensor4D } from '../../runtime/tensors.js';
import type { EncoderFile } from './encoder-file.js';
import { openOnnxSession } from './onnx-session.js';

/** The only layer of an encoder, whatever its output is called. */
export const encoderLayer = 'output';

/** `[count, rows, columns]` to `[count, columns, rows]`. */
const swapped = (values: Float32Array, count: number, rows: number, columns: number): Float32Array => {
  const result = new Float32Array(values.length);
  for (let i = 0; i < count; i++) {
    const from = i * rows * columns;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        result[from + column * rows + row] = values[from + row * columns + column]!;
      }
    }
  }
  return result;
};

/**
 * An ONNX encoder in the shape of a network without weights, frozen, so that every protocol on frozen features reads it as it reads a
 * trunk: one layer, {@link encoderLayer}, a row or a map. Pictures are `[batch, inputSize, inputSize, 3]`, normalised by its own mean
 * and deviation. It cannot be trained, has no embedding, and takes no pictures of other sizes. The caller disposes.
 *
 * @throws Error with what onnxruntime says, and where the output is not what the file declares
 */
export const openEncoder = (encoder: EncoderFile, threads: number): Trunk => {
  const { file, input, output, inputSize, mean, std, isMap, batch: fixed } = encoder;
  const session = openOnnxSession({ file, input, output, threads });

  /** Of `count` pictures, channels first; where the file fixes the batch, in passes of that size, the last one filled up with zeros. */
  const run = (pictures: Float32Array, count: number): { values: Float32Array; shape: readonly number[] } => {
    const size = 3 * inputSize * inputSize;
    const pass = fixed ?? count;
    const parts: Float32Array[] = [];
    let shape: readonly number[] = [];
    for (let from = 0; from < count; from += pass) {
      const part = new Float32Array(pass * size);
      part.set(pictures.subarray(from * size, Math.min(count, from + pass) * size));
      const found = session.run(part, [pass, 3, inputSize, inputSize]);
      if (found.shape[0] !== pass || found.shape.length !== (isMap ? 4 : 2)) {
        throw new Error(
          `${file}: expected ${isMap ? 'maps' : 'rows'} of ${pass} pictures from \`${output}\`, got shape [${found.shape.join(', ')}]`,
        );
      }
      shape = found.shape.slice(1);
      const values = found.values.length / pass;
      parts.push(found.values.subarray(0, Math.min(pass, count - from) * values));
    }
    const values = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      values.set(part, at);
      at += part.length;
    }
    return { values, shape };
  };

  const layer = ((): Layer => {
    try {
      const { shape } = run(new Float32Array(3 * inputSize * inputSize), 1);
      const [channels, height, width] = shape as [number, number?, number?];
      if (!isMap) return { name: encoderLayer, channels };
      const stride = inputSize / height!;
      return { name: encoderLayer, height: height!, width: width!, channels, stride, offset: stride / 2 };
    } catch (error) {
      session.close();
      throw error;
    }
  })();

  const features = (images: Tensor4D): Tensor => {
    const [count, height, width] = images.shape;
    if (height !== inputSize || width !== inputSize) {
      throw new Error(`${file}: expected pictures of ${inputSize} px, got ${height} x ${width}`);
    }
    const pixels = images.dataSync<'float32'>();
    const { values, shape } = run(swapped(pixels, count, height * width, 3), count);
    if (shape.join() !== [layer.channels, ...(isMap ? [layer.height, layer.width] : [])].join()) {
      throw new Error(`${file}: expected features of one shape, got [${shape.join(', ')}] after others`);
    }
    if (!isMap) return tf.tensor2d(values, [count, layer.channels]);
    const cells = layer.height! * layer.width!;
    return tf.tensor4d(swapped(values, count, layer.channels, cells), [
      count,
      layer.height!,
      layer.width!,
      layer.channels,
    ]);
  };

  return {
    architecture: 'onnx',
    ...{ inputSize, mean, std },
    layers: [layer],
    variables: new Map(),
    buffers: new Map(),
    features: (images, names) => {
      const unknown = names.find((name) => name !== encoderLayer);
      if (unknown !== undefined)
        throw new RangeError(`Expected the layer ${encoderLayer} of an encoder, got \`${unknown}\``);
      return names.length === 0 ? {} : { [encoderLayer]: features(images) };
    },
    embed: () => {
      throw new Error('Expected a network with an embedding, got an ONNX encoder, which has none');
    },
    dispose: () => session.close(),
  };
};
