import assert from 'node:assert/strict';
import { pretrainParams } from '../../pipelines/benchmark/params.js';
import { basePolicy } from '../../pipelines/rows/base-policy.js';
import { drawnEnd } from '../../pipelines/rows/drawn-end.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { RandomStream } from '../../src/numeric/random.js';

const viewsOf = (views: object) => pretrainParams.parse({ views }).views;

describe('pretrain.views', () => {
  it('leaves every policy as it is where nothing is set', () => {
    for (const name of ['full', 'paper', 'none'] as const) {
      assert.deepEqual(basePolicy(name, viewsOf({})), augmentationPolicies[name]);
    }
  });

  it('sets the least crop, the jitter with a quarter of it for hue, and the chance of grey', () => {
    const policy = basePolicy('full', viewsOf({ cropArea: 0.5, jitter: 0.8, grey: 1 }));
    const { brightness, contrast, saturation, hue, grey, cropArea } = policy;
    assert.deepEqual(
      { brightness, contrast, saturation, hue, grey, cropArea },
      { brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2, grey: 1, cropArea: [0.5, 1] },
    );
    assert.equal(policy.flip, augmentationPolicies.full.flip);
  });

  it('gives a policy without jitter the chance of `full`, and takes it away with 0', () => {
    assert.equal(basePolicy('paper', viewsOf({ jitter: 0.4 })).jitter, augmentationPolicies.full.jitter);
    assert.equal(basePolicy('full', viewsOf({ jitter: 0 })).brightness, 0);
  });

  it('is refused beside `augmentation=own`, which it would not reach', () => {
    const parse = (views: object) => () => pretrainParams.parse({ augmentation: 'own', views });
    assert.throws(parse({ grey: 1 }), /`grey` to be null where `augmentation` is own.*got `1`/);
    parse({ swapEnd: 0.5 })();
  });

  it('shows the own end, without a draw, where ends are not swapped', () => {
    const random = RandomStream.of(1, 'ends');
    assert.equal(drawnEnd('a', viewsOf({}), random), 'a');
    assert.equal(drawnEnd('b', viewsOf({}), random), 'b');
    assert.equal(random.uniform(), RandomStream.of(1, 'ends').uniform());
  });

  it('shows one end twice in half of the samples at a chance of a half', () => {
    const random = RandomStream.of(1, 'ends');
    const views = viewsOf({ swapEnd: 0.5 });
    const same = Array.from({ length: 4000 }, () => drawnEnd('a', views, random) === drawnEnd('b', views, random));
    const share = same.filter(Boolean).length / same.length;
    assert.ok(Math.abs(share - 0.5) < 0.03, `share ${share}`);
  });
});
