import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  augmentationPolicies,
  blurReferenceSize,
  drawAugmentation,
  identityDraw,
  type AugmentationDraw,
  type AugmentationName,
} from '../../src/images/augmentation.js';
import { pythonVenv, torchStep } from '../../bench/python-venv.js';
import { pixelCacheOf } from '../../src/images/pixel-cache.js';
import { renderAlone, renderJob } from '../../src/images/render-job.js';
import { RandomStream } from '../../src/numeric/random.js';

const run = promisify(execFile);
const size = 128;
const pictures = 6;
const script = path.resolve('test', 'images', 'views_torchvision.py');

/** Waves of all lengths and colours, some noise, and flat areas of pure colours, where hues have no or sharp values. */
const cache = pixelCacheOf(
  Array.from({ length: pictures }, (_, picture) => {
    const random = RandomStream.of(picture, 'torchvision');
    const waves = Array.from({ length: 9 }, () => random.uniform(0.02, 0.5));
    const data = Uint8Array.from({ length: size * size * 3 }, (_, i) => {
      const [x, y, c] = [Math.floor(i / 3) % size, Math.floor(i / 3 / size), i % 3];
      if (x < 24 && y < 24) return ((x >> 3) + (y >> 3)) & (1 << c) ? 255 : 0;
      const level = Math.sin(x * waves[c]! + y * waves[c + 3]!) + Math.cos(y * waves[c + 6]!);
      return Math.min(255, Math.max(0, 128 + 60 * level + random.uniform(-10, 10)));
    });
    return { width: size, height: size, channels: 3 as const, data };
  }),
);

type View = {
  readonly picture: number;
  readonly size: number;
  readonly crop: 'grid_sample' | 'plain' | 'antialias';
  readonly draw: AugmentationDraw;
};

const ours = ({ picture, draw, size: side }: View): Float32Array =>
  renderAlone(renderJob(cache, [picture], [draw], { inputSize: side, mean: [0, 0, 0], std: [1, 1, 1] }), cache);

const theirs = async (python: string, views: readonly View[]): Promise<Float32Array[]> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'torchvision-'));
  try {
    const [job, pixels, output] = ['job.json', 'pixels.u8', 'views.f32'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(pixels, cache.pixels);
    const listed = views.map(({ draw, ...view }) => ({
      ...draw,
      ...view,
      sigma: (draw.blurSigma * view.size) / blurReferenceSize,
    }));
    await writeFile(job, JSON.stringify({ size, pixels, output, views: listed }));
    await run(python, [script, job], { maxBuffer: 1 << 26 });
    const bytes = await readFile(output);
    let at = bytes.byteOffset;
    return views.map(({ size: side }) => {
      const values = new Float32Array(bytes.buffer.slice(at, (at += side * side * 3 * 4)));
      return values;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The largest difference, of what is at least `margin` px from the border. */
const farthest = (a: Float32Array, b: Float32Array, side: number, margin = 0): number => {
  assert.equal(a.length, b.length);
  let most = 0;
  a.forEach((value, i) => {
    const [x, y] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side)];
    if (Math.min(x, y, side - 1 - x, side - 1 - y) >= margin) most = Math.max(most, Math.abs(value - b[i]!));
  });
  return most;
};

const level = 1 / 255;

describe('views beside torchvision, with the same parameters', () => {
  const names = Object.keys(augmentationPolicies) as AugmentationName[];
  const viewsOf = new Map(
    names.map((name) => {
      const random = RandomStream.of(5, name);
      const views = Array.from({ length: 36 }, (_, i): View => ({
        picture: i % pictures,
        size: [96, 88, 120][i % 3]!, // large enough to be interpolated, as grid_sample does
        crop: 'grid_sample',
        draw: drawAugmentation(augmentationPolicies[name], random),
      }));
      return [name, views];
    }),
  );
  const expectedOf = new Map<AugmentationName, Float32Array[]>();
  let python: string;
  before(async () => {
    python = await pythonVenv('bench-torch', torchStep, {
      installs: [['torchvision']],
      marker: 'ready-torchvision',
    });
    const all = await theirs(python, [...viewsOf.values()].flat());
    names.forEach((name, i) => expectedOf.set(name, all.slice(i * 36, (i + 1) * 36)));
  });

  for (const name of names) {
    it(`agree for draws of \`${name}\` within a hundredth of a level of 256, blurred ones within a quarter`, () => {
      viewsOf.get(name)!.forEach((view, i) => {
        const apart = farthest(ours(view), expectedOf.get(name)![i]!, view.size);
        const tolerance = view.draw.blurSigma > 0 ? level / 4 : level / 100;
        assert.ok(apart < tolerance, `view ${i} is ${apart / level} levels away: ${JSON.stringify(view)}`);
      });
    });
  }

  it('are `resized_crop` without antialiasing, but that beyond a crop the picture goes on', async () => {
    const boxes = [
      { x: 0, y: 0, width: size, height: size },
      { x: 16, y: 8, width: 96, height: 96 },
      { x: 3, y: 40, width: 70, height: 81 },
      { x: 90, y: 17, width: 30, height: 41 },
    ];
    const views = boxes.flatMap(({ x, y, width, height }) =>
      [false, true].map((flip): View => {
        const draw = { ...identityDraw, x: x / size, y: y / size, width: width / size, height: height / size, flip };
        return { picture: x % pictures, size: 96, crop: 'plain', draw };
      }),
    );
    const expected = await theirs(python, views);
    views.forEach((view, i) => {
      // torchvision repeats the last row of the crop there, which only an enlarged crop shows.
      const isWhole = view.draw.width === 1 && view.draw.height === 1;
      const margin = isWhole ? 0 : Math.ceil(96 / size / Math.min(view.draw.width, view.draw.height) / 2);
      const apart = farthest(ours(view), expected[i]!, 96, margin);
      assert.ok(apart < level / 100, `view ${i} is ${apart / level} levels away`);
    });
  });

  it('are `resized_crop` with antialiasing where a picture shrinks by more than a half', async () => {
    const views = [64, 50, 40, 17].map((side, picture): View => ({
      picture,
      size: side,
      crop: 'antialias',
      draw: { ...identityDraw, flip: side === 50 },
    }));
    const expected = await theirs(python, views);
    views.forEach((view, i) => {
      const apart = farthest(ours(view), expected[i]!, view.size);
      assert.ok(apart < level / 100, `${view.size} px: ${apart / level} levels away`);
    });
  });

  it('differ from `resized_crop` with antialiasing by little where a picture shrinks by a quarter, as whole pictures do', async () => {
    const views: View[] = Array.from({ length: pictures }, (_, picture) => ({
      picture,
      size: 96,
      crop: 'antialias',
      draw: identityDraw,
    }));
    const expected = await theirs(python, views);
    views.forEach((view, i) => {
      const rendered = ours(view);
      const mean = rendered.reduce((sum, value, j) => sum + Math.abs(value - expected[i]![j]!), 0) / rendered.length;
      assert.ok(mean < 4 * level, `picture ${i}: ${mean / level} levels on average`);
    });
  });
});
