import assert from 'node:assert/strict';
import { canonicalJson } from '../../src/pipeline/canonical-json.js';
import { itemDigestOf, itemKeyOf, recipeOf, runDigestOf, stageDigestOf, stageKeyOf } from '../../src/pipeline/keys.js';

const recipe = {
  name: 'mine',
  version: 2,
  params: { minMotionPx: 0.5, window: { px: 227 } },
  inputs: { index: 'aa', targets: 'bb' },
};

describe('Keys', () => {
  it('are the same tomorrow: golden values, taken with sha256sum from the canonical text', () => {
    assert.equal(
      canonicalJson({ b: [1, 'x', null], a: { d: true, c: 0.1 } }),
      '{"a":{"c":0.1,"d":true},"b":[1,"x",null]}',
    );
    assert.equal(recipeOf(recipe), '4659562731ca6069fc4c7577b26d4b11ae2a1ef9b13aceedac8ce5a1bc2d23e5');
    assert.equal(itemKeyOf('aa', 'bb'), 'c7ec6d9bb93d526abb5919832ad473027244d476d593175329bfa9d66a1411b0');
    assert.equal(
      stageKeyOf('aa', ['cc', 'bb'], { index: 'dd' }),
      'd41d5bcaaae7ca7d9b6a6c3e2a202656c54ed17c3ab1142a428b53de7293f7e7',
    );
  });

  it('do not depend on the order in which parameters, inputs and items were written', () => {
    const turned = {
      inputs: { targets: 'bb', index: 'aa' },
      params: { window: { px: 227 }, minMotionPx: 0.5 },
      version: 2,
      name: 'mine',
    };
    assert.equal(recipeOf(turned), recipeOf(recipe));
    assert.equal(stageKeyOf('r', ['x', 'y'], { a: '1', b: '2' }), stageKeyOf('r', ['y', 'x'], { b: '2', a: '1' }));
    assert.equal(stageDigestOf(['x', 'y'], null, []), stageDigestOf(['y', 'x'], null, []));
    assert.equal(runDigestOf({ a: '1', b: '2' }), runDigestOf({ b: '2', a: '1' }));
  });

  it('depend on name, version, each parameter and each input', () => {
    const changed = [
      { ...recipe, name: 'mime' },
      { ...recipe, version: 3 },
      { ...recipe, params: { ...recipe.params, minMotionPx: 0.7 } },
      { ...recipe, inputs: { ...recipe.inputs, index: 'ab' } },
      { ...recipe, inputs: { index: 'aa' } },
    ];
    assert.equal(new Set([recipe, ...changed].map(recipeOf)).size, changed.length + 1);
  });

  it('of items notice content, verdict, reason of rejection, data and files, but no volatile file and no reason of failure', () => {
    const file = { name: 'a.jpg', sha256: '11', volatile: false };
    const item = { content: 'c', status: 'done' as const, data: { pairs: 3 }, artefacts: [file] };
    const digest = itemDigestOf(item);
    assert.equal(itemDigestOf({ ...item, artefacts: [file, { name: 'log', sha256: '22', volatile: true }] }), digest);
    assert.notEqual(itemDigestOf({ ...item, artefacts: [{ ...file, sha256: '12' }] }), digest);
    assert.notEqual(itemDigestOf({ ...item, data: { pairs: 4 } }), digest);
    assert.notEqual(itemDigestOf({ ...item, content: 'd' }), digest);
    const failed = { ...item, status: 'failed' as const, artefacts: [] };
    assert.equal(itemDigestOf({ ...failed, reason: 'no /tmp/1' }), itemDigestOf({ ...failed, reason: 'no /tmp/2' }));
    const rejected = { ...failed, status: 'rejected' as const };
    assert.notEqual(itemDigestOf({ ...rejected, reason: 'short' }), itemDigestOf({ ...rejected, reason: 'dark' }));
    assert.notEqual(itemDigestOf(failed), itemDigestOf(rejected));
  });
});

describe('Canonical JSON', () => {
  it('refuses what JSON would change, and says where', () => {
    assert.throws(() => canonicalJson({ a: [1, NaN] }, 'data'), /Expected `data\.a\[1\]` .* got `NaN` \(number\)/);
    assert.throws(() => canonicalJson({ a: new Date(0) }), /value\.a/);
    assert.throws(() => canonicalJson({ a: new Map() }), /value\.a/);
    assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
  });
});
