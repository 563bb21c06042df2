import assert from 'node:assert/strict';
import {
  augmentationPolicies,
  checkPolicy,
  drawAugmentation,
  fixedColourOrder,
  type AugmentationDraw,
  type AugmentationName,
  type AugmentationPolicy,
} from '../../src/images/augmentation.js';
import { RandomStream } from '../../src/numeric/random.js';

const count = 6000;
const drawsOf = (policy: AugmentationPolicy): AugmentationDraw[] => {
  const random = RandomStream.of(7, 'draws');
  return Array.from({ length: count }, () => drawAugmentation(policy, random));
};
const rate = (draws: readonly AugmentationDraw[], of: (draw: AugmentationDraw) => boolean): number =>
  draws.filter(of).length / draws.length;
const near = (value: number, expected: number, tolerance = 0.025): void =>
  assert.ok(Math.abs(value - expected) < tolerance, `${value} for ${expected}`);

describe('ready-made policies', () => {
  for (const name of Object.keys(augmentationPolicies) as AugmentationName[]) {
    it(`\`${name}\` is sound, and its draws come at its rates and within its ranges`, () => {
      const policy = augmentationPolicies[name];
      checkPolicy(policy);
      const draws = drawsOf(policy);
      near(
        rate(draws, ({ flip }) => flip),
        policy.flip,
      );
      near(
        rate(draws, ({ grey }) => grey),
        policy.grey,
      );
      near(
        rate(draws, ({ blurSigma }) => blurSigma > 0),
        policy.blur,
      );
      near(
        rate(draws, (draw) => draw.solarize !== null),
        policy.solarize,
      );
      near(
        rate(draws, ({ brightness }) => brightness !== 1),
        policy.brightness > 0 ? policy.jitter : 0,
      );
      for (const draw of draws) {
        for (const step of ['brightness', 'contrast', 'saturation'] as const) {
          assert.ok(Math.abs(draw[step] - 1) <= policy[step] + 1e-12, step);
        }
        assert.ok(Math.abs(draw.hue) <= policy.hue);
        const { x, y, width, height } = draw;
        assert.ok(x >= 0 && y >= 0 && x + width <= 1 + 1e-12 && y + height <= 1 + 1e-12);
        assert.ok(width / height >= policy.cropRatio[0] - 1e-9 && width / height <= policy.cropRatio[1] + 1e-9);
        assert.ok(width * height <= policy.cropArea[1] + 1e-9);
        if (draw.blurSigma > 0) {
          assert.ok(draw.blurSigma >= policy.blurSigma[0] && draw.blurSigma <= policy.blurSigma[1]);
        }
        assert.deepEqual([...draw.colourOrder].sort(), [...fixedColourOrder].sort());
      }
    });
  }

  it('are those of the papers', () => {
    const { simclr, npid } = augmentationPolicies;
    assert.deepEqual([simclr.cropArea, simclr.brightness, simclr.hue, simclr.blur], [[0.08, 1], 0.8, 0.2, 0.5]);
    assert.deepEqual([npid.cropArea, npid.jitter, npid.hue, npid.blur], [[0.2, 1], 1, 0.4, 0]);
    assert.deepEqual(
      (['byol-first', 'byol-second'] as const).map((name) => [
        augmentationPolicies[name].blur,
        augmentationPolicies[name].solarize,
      ]),
      [
        [1, 0],
        [0.1, 0.2],
      ],
    );
    // 0.1 to 2 px of a crop of 96 px.
    near(augmentationPolicies['swav-local'].blurSigma[1] * (96 / 224), 2, 1e-12);
  });

  it('draw every order of the four colour steps equally often, and none where it is fixed', () => {
    const orders = new Map<string, number>();
    for (const { colourOrder } of drawsOf({ ...augmentationPolicies.simclr, jitter: 1 })) {
      orders.set(colourOrder.join(), (orders.get(colourOrder.join()) ?? 0) + 1);
    }
    assert.equal(orders.size, 24);
    for (const times of orders.values()) near(times / count, 1 / 24, 0.012);
    for (const { colourOrder } of drawsOf(augmentationPolicies.full)) assert.equal(colourOrder, fixedColourOrder);
  });

  it('take no random numbers for what a policy never does', () => {
    const { full } = augmentationPolicies;
    const [plain, other] = [RandomStream.of(1), RandomStream.of(1)];
    const draw = drawAugmentation(full, plain);
    assert.deepEqual(drawAugmentation({ ...full, blurSigma: [1, 3], solarizeThreshold: 0.2 }, other), draw);
    assert.deepEqual(plain.save(), other.save());
    // Crop (area, x, y), flip, jitter, four factors, grey: two words each.
    const counted = RandomStream.of(1);
    for (let i = 0; i < 2 * 10; i++) counted.bits();
    assert.deepEqual(counted.save(), plain.save());
  });

  it('are checked field by field', () => {
    const { simclr } = augmentationPolicies;
    assert.throws(() => checkPolicy({ ...simclr, blur: 1.5 }), /Expected `blur`.*got `1.5`/);
    assert.throws(() => checkPolicy({ ...simclr, blurSigma: [0, 2] }), /Expected `blurSigma`.*above 0.*got `\[0, 2\]`/);
    assert.throws(() => checkPolicy({ ...simclr, blurSigma: [2, 1] }), /Expected `blurSigma`.*ascending/);
    assert.throws(() => checkPolicy({ ...simclr, solarize: -1 }), /Expected `solarize`/);
    assert.throws(() => checkPolicy({ ...simclr, solarizeThreshold: NaN }), /Expected `solarizeThreshold`.*got `NaN`/);
    assert.throws(
      () => checkPolicy({ ...simclr, colourOrder: 'any' as 'drawn' }),
      /Expected `colourOrder` to be drawn or fixed, got `any`/,
    );
  });
});
