import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { differences, effectiveParams, formatParams, type ParamsRequest } from '../../src/pipeline/params.js';
import { defineStage } from '../../src/pipeline/stage.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { toyPipeline } from './fixtures/toy-pipeline.js';

const stages = toyPipeline.stages({ options: { texts: '.' }, seed: 1, seeds: 1 });
const effective = (request: ParamsRequest) => effectiveParams(toyPipeline, stages, request);
const refusal = (...set: string[]): string => {
  try {
    effective({ set });
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
  throw new Error(`Expected ${set.join(' ')} to be refused`);
};

describe('Parameters', () => {
  let folder: string;
  let config: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'params-'));
    config = path.join(folder, 'config.yaml');
    writeFileSync(config, 'measure:\n  mode: double\n  scale: 3\ntrain: { optimizer: { rate: 0.5 } }\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('come from the defaults, over them the preset, the file and --set, and each keeps its source', () => {
    const { values, sources } = effective({
      preset: 'large',
      config,
      set: ['measure.scale=4', 'report.title=a page', 'measure.scale=5'],
    });
    assert.deepEqual(values.get('measure'), { scale: 5, mode: 'double' });
    assert.deepEqual(values.get('train'), { steps: 5, stepMs: 0, optimizer: { rate: 0.5 } });
    assert.deepEqual(values.get('report'), { title: 'a page' });
    assert.equal(sources.get('measure.scale'), '--set');
    assert.equal(sources.get('measure.mode'), `--config ${config}`);
    assert.equal(sources.get('train.steps'), 'preset large');
    assert.equal(sources.get('train.stepMs'), undefined);
  });

  it('of too many levels are refused as that, however the parser sees it', () => {
    for (const levels of [40, 300, 2000, 30_000]) {
      const deep = path.join(folder, `deep-${levels}.json`);
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '}'],
        ['- ', ''],
      ] as const) {
        const count = Math.min(levels, Math.floor(65_000 / (open.length + close.length)));
        const value = `${open.repeat(count)}1${close.repeat(count)}`;
        writeFileSync(deep, open === '- ' ? value : `{"measure":{"scale":${value}}}`);
        assert.throws(() => effective({ config: deep }), /expected at most 32 levels, got more/, `${count} ${open}`);
      }
    }
  });

  it('are printed as YAML that --config takes back, with the sources beside them', () => {
    const first = effective({ preset: 'large', set: ['train.optimizer.rate=0.25'] });
    const text = formatParams(first);
    assert.match(text, /scale: 10 # preset large\n/);
    assert.match(text, /rate: 0.25 # --set\n/);
    assert.match(text, /stepMs: 0 # default\n/);
    const file = path.join(folder, 'printed.yaml');
    writeFileSync(file, text);
    assert.deepEqual(effective({ config: file }).values, first.values);
    assert.deepEqual(parse(text), Object.fromEntries(first.values));
  });

  it('of a wrong type or range are refused with what was expected and what came', () => {
    assert.equal(refusal('measure.scale=x'), 'measure.scale: expected a number above 0, got "x" (string), in --set');
    assert.equal(refusal('measure.scale=0'), 'measure.scale: expected a number above 0, got 0 (number), in --set');
    assert.equal(
      refusal('train.steps=1.5'),
      'train.steps: expected a whole number from 1 to 1000, got 1.5 (number), in --set',
    );
    assert.match(refusal('train.steps=1e400'), /got Infinity \(number\), in --set$/);
    assert.equal(
      refusal('measure.mode=triple'),
      'measure.mode: expected one of "plain", "double", got "triple" (string), in --set',
    );
    assert.equal(
      refusal('train.optimizer.rate=-1'),
      'train.optimizer.rate: expected a number above 0, got -1 (number), in --set',
    );
  });

  it('that nobody knows are refused with the nearest known one', () => {
    assert.equal(refusal('mesure.scale=1'), 'unknown stage `mesure` in --set: did you mean `measure`?');
    assert.equal(refusal('measure.scal=1'), 'unknown parameter `measure.scal` in --set: did you mean `scale`?');
    assert.equal(
      refusal('train.optimizer.rat=1'),
      'unknown parameter `train.optimizer.rat` in --set: did you mean `rate`?',
    );
    assert.match(refusal('measure.colour=1'), /expected one of: scale, mode/);
    assert.match(refusal('measure.__proto__=1'), /unknown parameter `measure.__proto__`/);
    assert.throws(() => effective({ preset: 'larg' }), /unknown preset `larg`: did you mean `large`\?/);
  });

  it('are all checked at once', () => {
    assert.equal(refusal('measure.scale=x', 'train.steps=0', 'nothing.a=1').split('\n').length, 3);
  });

  it('must be an assignment or a readable file', () => {
    for (const text of ['measure', 'measure.scale', 'scale=3', '.a=1'])
      assert.match(refusal(text), /expected stage\.key=value/);
    assert.throws(() => effective({ config: path.join(folder, 'absent.yaml') }), UsageError);
    const list = path.join(folder, 'list.yaml');
    writeFileSync(list, '- 1\n');
    assert.throws(() => effective({ config: list }), /expected stages with their parameters, got \[1\] \(list\)/);
  });

  it('of a stage that the pipeline has with other arguments may stand in a file, and count for nothing', () => {
    const pipeline = { ...toyPipeline, stages: () => stages };
    const file = path.join(folder, 'other.yaml');
    writeFileSync(file, 'train: { steps: 7 }\nmeasure: { scale: 2 }\n');
    const fewer = effectiveParams(pipeline, stages.slice(0, 1), { config: file });
    assert.deepEqual([...fewer.values.keys()], ['measure']);
    writeFileSync(file, 'trian: { steps: 7 }\n');
    assert.throws(() => effectiveParams(pipeline, stages.slice(0, 1), { config: file }), /unknown stage `trian`/);
  });

  it('of a stage that the pipeline has with other arguments only are refused in a --set, by its name', () => {
    const pipeline = { ...toyPipeline, stages: () => stages };
    const set = (text: string) => () => effectiveParams(pipeline, stages.slice(0, 1), { set: [text] });
    assert.throws(set('train.steps=7'), {
      name: 'UsageError',
      message: /stage `train` in --set is no part of this run: .*nothing uses it.*\(the stages are measure\)/,
    });
    assert.throws(set('trian.steps=7'), /unknown stage `trian` in --set/);
  });

  it('must be declared strictly', () => {
    const loose = defineStage({
      name: 'loose',
      version: 1,
      summary: '',
      params: z.object({ a: z.number().default(1) }),
      inputs: [],
      onFailure: 'stop',
    });
    assert.throws(() => effectiveParams({ presets: { p: {} }, defaultPreset: 'p' }, [loose], {}), /z\.strictObject/);
  });

  it('that differ are told by name, old and new', () => {
    assert.deepEqual(
      differences('mine', { a: 0.5, b: { c: 1 }, same: [1] }, { a: 0.7, b: { c: 2 }, same: [1], fresh: 'x' }),
      ['mine.a 0.5 -> 0.7', 'mine.b.c 1 -> 2', 'mine.fresh (none) -> "x"'],
    );
  });
});
