import type { DetectionObject, LoadedDetection, LoadedImage } from '../../../src/images/detection-dataset.js';
import type { Box } from '../../../src/numeric/box.js';
import { RandomStream } from '../../../src/numeric/random.js';
import type { Proposals } from '../../../src/transfer/detection/proposals.js';

const [width, height] = [128, 96];

/** Bright discs (class 0) and dark squares (class 1), one or two a picture, on a grey of uneven noise. */
export function shapePictures(train: number, test: number, seed = 1): { data: LoadedDetection; proposals: Proposals } {
  const random = RandomStream.of(seed, 'shapes');
  const pictures = Array.from({ length: train + test }, (_, i) => drawPicture(random, `shapes-${i}`));
  const lists = pictures.map(({ objects }) => proposalsAround(objects, random));
  const data = {
    classes: ['disc', 'square'],
    train: pictures.slice(0, train),
    test: pictures.slice(train),
    digest: 'shapes',
  };
  return { data, proposals: { train: lists.slice(0, train), test: lists.slice(train) } };
}

function drawPicture(random: RandomStream, name: string): LoadedImage {
  const data = Uint8Array.from({ length: width * height * 3 }, () => 100 + random.integer(56));
  const objects: DetectionObject[] = [];
  const count = 1 + random.integer(2);
  for (let i = 0; i < count; i++) {
    const label = random.integer(2);
    const side = 24 + random.integer(20);
    // The left one of two in the left half, so that they do not meet.
    const x = count === 1 ? random.integer(width - side) : i * 64 + random.integer(64 - side);
    const y = random.integer(height - side);
    objects.push({ label, box: { x, y, width: side, height: side }, difficult: false, crowd: false });
    for (let row = 0; row < side; row++)
      for (let column = 0; column < side; column++) {
        const inside = Math.hypot(row + 0.5 - side / 2, column + 0.5 - side / 2) <= side / 2;
        if (label === 1 || inside)
          data.fill(label === 0 ? 240 : 20, pixel(x + column, y + row), pixel(x + column, y + row) + 3);
      }
  }
  return { name, raster: { width, height, channels: 3, data }, scale: 1, objects };
}

const pixel = (x: number, y: number): number => (y * width + x) * 3;

/** Eight boxes about each object, shifted and scaled, and sixteen anywhere. */
function proposalsAround(objects: readonly DetectionObject[], random: RandomStream): Float32Array {
  const boxes: Box[] = [];
  for (const { box } of objects)
    for (let i = 0; i < 8; i++) {
      const [w, h] = [box.width * random.uniform(0.7, 1.4), box.height * random.uniform(0.7, 1.4)];
      const [x, y] = [
        box.x + box.width * random.uniform(-0.25, 0.25),
        box.y + box.height * random.uniform(-0.25, 0.25),
      ];
      boxes.push({ x: x + (box.width - w) / 2, y: y + (box.height - h) / 2, width: w, height: h });
    }
  for (let i = 0; i < 16; i++) {
    const [w, h] = [random.uniform(16, 60), random.uniform(16, 60)];
    boxes.push({ x: random.uniform(0, width - w), y: random.uniform(0, height - h), width: w, height: h });
  }
  return Float32Array.from(
    random
      .shuffle(boxes)
      .flatMap(({ x, y, width: w, height: h }) => [
        Math.max(0, x),
        Math.max(0, y),
        Math.min(width, x + w),
        Math.min(height, y + h),
      ]),
  );
}
