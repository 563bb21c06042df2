import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { Raster } from '../../src/numeric/raster.js';
import { demoVideos } from '../../src/synthetic/demo-videos.js';
import { mapPoint } from '../../src/synthetic/homography.js';
import { cameraBetween, renderVideo, type RenderedFrame } from '../../src/synthetic/render-video.js';
import { frameCount, type VideoSpec } from '../../src/synthetic/video-spec.js';

const take = (spec: VideoSpec, count: number): RenderedFrame[] => {
  const frames: RenderedFrame[] = [];
  for (const frame of renderVideo(spec)) if (frames.push(frame) === count) break;
  return frames;
};

const digest = (raster: Raster): string => createHash('sha256').update(raster.data).digest('hex');

const grey = ({ data }: Raster, pixel: number): number =>
  (data[3 * pixel]! + data[3 * pixel + 1]! + data[3 * pixel + 2]!) / 3;

/** Mean absolute grey difference between frame `b` and frame `a` looked up through `map` (a to b), bilinear, in the interior. */
const misfit = (a: Raster, b: Raster, map: (x: number, y: number) => [number, number]): number => {
  let sum = 0;
  let count = 0;
  for (let y = 20; y < a.height - 20; y += 3) {
    for (let x = 20; x < a.width - 20; x += 3) {
      const [u, v] = map(x, y);
      const [u0, v0] = [Math.floor(u), Math.floor(v)];
      if (u0 < 0 || v0 < 0 || u0 >= b.width - 1 || v0 >= b.height - 1) continue;
      const at = v0 * b.width + u0;
      const above = grey(b, at) + (grey(b, at + 1) - grey(b, at)) * (u - u0);
      const below = grey(b, at + b.width) + (grey(b, at + b.width + 1) - grey(b, at + b.width)) * (u - u0);
      sum += Math.abs(above + (below - above) * (v - v0) - grey(a, y * a.width + x));
      count++;
    }
  }
  return sum / count;
};

describe('procedural videos', () => {
  const videos = demoVideos(1);
  const bare = (spec: VideoSpec): VideoSpec => ({
    ...spec,
    noise: 0,
    shots: spec.shots.map((shot) => ({ ...shot, light: { swing: 0, speed: 0, flicker: 0, slope: [0, 0] } })),
  });

  it('are the same bytes in another process, and others for another seed', () => {
    const module = (name: string): string => new URL(`../../src/synthetic/${name}.js`, import.meta.url).href;
    const script = `
      import { createHash } from 'node:crypto';
      import { demoVideos } from '${module('demo-videos')}';
      import { renderVideo } from '${module('render-video')}';
      let last; for (const frame of renderVideo(demoVideos(1)[2])) { last = frame; if (frame.index === 3) break; }
      process.stdout.write(createHash('sha256').update(last.raster.data).digest('hex'));`;
    const other = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.equal(digest(take(videos[2]!, 4)[3]!.raster), other);
    assert.notEqual(digest(take(demoVideos(2)[2]!, 4)[3]!.raster), other);
  });

  it('last 6 to 8 seconds, carry different names and end with three that hold no motion', () => {
    assert.equal(videos.length, 14);
    assert.equal(new Set(videos.map(({ name }) => name)).size, 14);
    for (const spec of videos) {
      const seconds = frameCount(spec) / spec.fps;
      assert.ok(seconds >= 6 && seconds <= 8, `${spec.name}: ${seconds} s`);
    }
    assert.deepEqual(
      videos.map(({ hasMotion }) => hasMotion),
      [...Array<boolean>(11).fill(true), false, false, false],
    );
  });

  it('survive JSON as specs', () => {
    const copy = JSON.parse(JSON.stringify(videos[4])) as VideoSpec;
    assert.equal(digest(take(copy, 1)[0]!.raster), digest(take(videos[4]!, 1)[0]!.raster));
  });

  it("keep every object's pixels inside its box, tightly so for the object in front", () => {
    for (const frame of take(videos[0]!, 40).filter(({ index }) => index % 13 === 0)) {
      const { width } = frame.raster;
      const front = frame.objects.length;
      const seen = { left: Infinity, right: -1, top: Infinity, bottom: -1 };
      for (let i = 0; i < frame.owner.length; i++) {
        const k = frame.owner[i]!;
        if (k === 0) continue;
        const box = frame.objects[k - 1]!.box!;
        const x = i % width;
        const y = Math.floor(i / width);
        assert.ok(x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height);
        if (k !== front) continue;
        seen.left = Math.min(seen.left, x);
        seen.right = Math.max(seen.right, x);
        seen.top = Math.min(seen.top, y);
        seen.bottom = Math.max(seen.bottom, y);
      }
      const { left, right, top, bottom } = seen;
      assert.deepEqual(frame.objects[front - 1]!.box, {
        x: left,
        y: top,
        width: right - left + 1,
        height: bottom - top + 1,
      });
    }
  });

  it('move objects at 0.8 to 6 px a frame against the background, and cover 10 to 65 percent of the frame with them', () => {
    for (const spec of videos.slice(0, 3)) {
      const [a, b] = take(spec, 2) as [RenderedFrame, RenderedFrame];
      const camera = cameraBetween(a, b);
      for (const [k, { pose }] of a.objects.entries()) {
        const [x, y] = mapPoint(camera, ...mapPoint(pose, 0, 0));
        const [toX, toY] = mapPoint(b.objects[k]!.pose, 0, 0);
        const speed = Math.hypot(toX - x, toY - y);
        assert.ok(speed > 0.8 && speed < 6, `${spec.name}: ${speed} px a frame`);
      }
      const share = a.owner.filter((owner) => owner > 0).length / a.owner.length;
      assert.ok(share > 0.1 && share < 0.65, `${spec.name}: objects cover ${share}`);
    }
  });

  it('report the camera that maps the background from frame to frame', () => {
    const source = bare(videos[0]!);
    const camera = { pan: [1.2, -0.7] as const, zoom: 0.004, roll: 0.003, shakePx: 1.5, tilt: 0.0002 };
    const shot = { ...source.shots[0]!, frames: 16, objects: [], camera };
    const frames = take({ ...source, shots: [shot] }, 16);
    const [first, last] = [frames[0]!, frames[15]!];
    const map = cameraBetween(first, last);
    const fit = misfit(first.raster, last.raster, (x, y) => mapPoint(map, x, y));
    const still = misfit(first.raster, last.raster, (x, y) => [x, y]);
    assert.ok(fit < 5 && fit < 0.3 * still, `misfit ${fit} through the camera, ${still} without`);
  });

  it('stand perfectly still on a tripod without noise, and cut to another scene between shots', () => {
    const still = videos.find(({ name }) => name === 'still')!;
    const [a, , b] = take(bare(still), 3);
    assert.equal(digest(a!.raster), digest(b!.raster));
    const source = bare(videos[0]!);
    const cut = take({ ...source, shots: source.shots.map((shot) => ({ ...shot, frames: 2 })) }, 3);
    assert.deepEqual(
      cut.map(({ shot }) => shot),
      [0, 0, 1],
    );
    const same = (x: number, y: number): [number, number] => [x, y];
    assert.ok(misfit(cut[1]!.raster, cut[2]!.raster, same) > 2 * misfit(cut[0]!.raster, cut[1]!.raster, same));
  });
});
