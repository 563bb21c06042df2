import { Document, isMap, isScalar, Lexer, parseDocument, Parser, type YAMLMap } from 'yaml';
import { canonicalJson, toJson } from './canonical-json.js';
import { describeNode, describeValue, nodeAt, schemaOf, type SchemaNode } from './describe-schema.js';
import { readForeignFile } from './foreign-file.js';
import type { Json } from './json.js';
import { nearestOf } from './nearest.js';
import type { ParamsTree, Pipeline } from './pipeline.js';
import type { Stage } from './stage.js';
import { UsageError } from './usage-error.js';

/** Parameters of all stages, checked, and where each value came from. */
export type EffectiveParams = {
  readonly values: ReadonlyMap<string, unknown>;
  /** By dotted path (`mine.minMotionPx`); what is not in it is a schema's default. */
  readonly sources: ReadonlyMap<string, string>;
};

/** What the command line says about parameters. */
export type ParamsRequest = {
  readonly preset?: string | undefined;
  /** Path of a YAML file. */
  readonly config?: string | undefined;
  /** `stage.key=value`, in order; a later one wins. */
  readonly set?: readonly string[];
};

/** Unknown names of one kind that are told, at most. */
const mostProblems = 100;

type Tree = { [key: string]: unknown };

/**
 * The schemas' defaults, over which go the preset, then `--config FILE.yaml`, then each `--set stage.key=value`. Objects are
 * merged key by key, lists replaced. What preset and file say of stages that the pipeline has only with other arguments counts for nothing; in a `--set`, which is
 * typed for this run, it is refused.
 *
 * @throws UsageError naming every unknown stage and key (with the nearest known one) and every wrong value.
 */
export function effectiveParams(
  pipeline: Pick<Pipeline, 'presets' | 'defaultPreset'> & Partial<Pick<Pipeline, 'stages'>>,
  stages: readonly Stage[],
  request: ParamsRequest,
): EffectiveParams {
  const schemas = new Map(stages.map((stage) => [stage.name, schemaOf(stage.name, stage.params)]));
  const merged: Tree = {};
  const sources = new Map<string, string>();
  const preset = request.preset ?? pipeline.defaultPreset;
  // A preset may speak of stages that these arguments leave out (the demo's own), but not of unknown keys.
  const known = presetOf(pipeline, preset);
  merge(
    merged,
    Object.fromEntries(Object.entries(known).filter(([stage]) => schemas.has(stage))),
    `preset ${preset}`,
    sources,
  );
  if (request.config !== undefined) {
    const elsewhere = stagesElsewhere(pipeline);
    const own = Object.entries(readConfig(request.config)).filter(
      ([stage]) => schemas.has(stage) || !elsewhere.has(stage),
    );
    merge(merged, Object.fromEntries(own) as Tree, `--config ${request.config}`, sources);
  }
  for (const assignment of request.set ?? []) merge(merged, parseAssignment(assignment), '--set', sources);
  const absent = Object.keys(merged).filter((name) => !schemas.has(name));
  const problems = absent
    .slice(0, mostProblems)
    .map((name) => absentStage(name, { source: sourceBelow(sources, name), schemas, pipeline }));
  const values = new Map<string, unknown>();
  for (const stage of stages) {
    const parsed = stage.params.safeParse(merged[stage.name] ?? {});
    if (parsed.success) values.set(stage.name, parsed.data);
    else {
      const given = merged[stage.name];
      for (const issue of parsed.error.issues)
        problems.push(...explainIssue(stage.name, schemas.get(stage.name)!, given, issue, sources));
    }
  }
  if (absent.length > mostProblems) problems.push(`and ${absent.length - mostProblems} more`);
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return { values, sources };
}

/** The parameters as YAML that `--config` takes, each with a comment that says where it came from. */
export function formatParams({ values, sources }: EffectiveParams): string {
  const document = new Document(toJson(Object.fromEntries(values)));
  const annotate = (map: YAMLMap, place: string): void => {
    for (const pair of map.items) {
      const path = place === '' ? String(pair.key) : `${place}.${String(pair.key)}`;
      if (isMap(pair.value) && pair.value.items.length > 0) annotate(pair.value, path);
      else if (isScalar(pair.value)) pair.value.comment = ` ${sources.get(path) ?? 'default'}`;
      else if (isScalar(pair.key))
        pair.key.commentBefore = ` ${sources.get(path) ?? sourceBelow(sources, path, 'default')}`;
    }
  };
  if (isMap(document.contents)) annotate(document.contents, '');
  return document.toString({ lineWidth: 0 });
}

/** Parameters that differ, as `mine.minMotionPx 0.5 -> 0.7`. */
export function differences(stage: string, before: Json, after: Json): string[] {
  const [old, now] = [leaves(stage, before), leaves(stage, after)];
  const show = (text: string | undefined): string => text ?? '(none)';
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => `${path} ${show(old.get(path))} -> ${show(now.get(path))}`);
}

const leaves = (place: string, value: Json, into = new Map<string, string>()): Map<string, string> => {
  if (isTree(value) && Object.keys(value).length > 0) {
    for (const [key, entry] of Object.entries(value)) leaves(`${place}.${key}`, entry as Json, into);
  } else into.set(place, canonicalJson(value));
  return into;
};

/** What is wrong with parameters of a stage that this run has not: with other arguments there may be one of that name. */
const absentStage = (
  name: string,
  {
    source,
    schemas,
    pipeline,
  }: {
    readonly source: string;
    readonly schemas: ReadonlyMap<string, unknown>;
    readonly pipeline: Parameters<typeof effectiveParams>[0];
  },
): string => {
  const stages = [...schemas.keys()];
  if (!stagesElsewhere(pipeline).has(name)) return `unknown stage \`${name}\` in ${source}: ${nearestOf(name, stages)}`;
  return (
    `the stage \`${name}\` in ${source} is no part of this run: with these options nothing uses it, and the parameter would change ` +
    `nothing (the stages are ${stages.join(', ')})`
  );
};

/** Names of stages that the pipeline has with one set of arguments or another: those its presets name, and those of no arguments at all. */
const stagesElsewhere = ({
  presets,
  stages,
}: Pick<Pipeline, 'presets'> & Partial<Pick<Pipeline, 'stages'>>): ReadonlySet<string> => {
  const names = new Set(Object.values(presets).flatMap((preset) => Object.keys(preset)));
  try {
    for (const { name } of stages?.({ options: {}, seed: 1, seeds: 1 }) ?? []) names.add(name);
  } catch (error) {
    // A pipeline that cannot do without arguments has no stages without them.
    if (!(error instanceof UsageError)) throw error;
  }
  return names;
};

const presetOf = (pipeline: Pick<Pipeline, 'presets'>, name: string): ParamsTree => {
  const preset = Object.hasOwn(pipeline.presets, name) ? pipeline.presets[name] : undefined;
  if (!preset) throw new UsageError(`unknown preset \`${name}\`: ${nearestOf(name, Object.keys(pipeline.presets))}`);
  return preset;
};

/** Most bytes of a file of parameters: all of them are some kilobytes. */
const maxConfigBytes = 2 ** 16;

/** Deepest nesting of parameters. In YAML a value can also hold itself. */
const maxConfigDepth = 32;

const nestedTooDeep = `expected at most ${maxConfigDepth} levels, got more, or a value that holds itself`;

/** Before the text is composed: that walks it by calling itself, and Node aborts where the stack ends within a regular expression. */
const refuseDeepText = (text: string): void => {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    // At most two nodes a level are under way, and some around them; the levels themselves are counted below.
    if (parser.stack.length > 2 * maxConfigDepth + 8) throw new Error(nestedTooDeep);
  }
};

/** Tags of other languages are refused rather than passed over; aliases may multiply a hundredfold. */
const parseYaml = (text: string): unknown => {
  refuseDeepText(text);
  const document = parseDocument(text);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw problem;
  return document.toJS();
};

const checkDepth = (value: unknown, depth = 0): void => {
  if (depth > maxConfigDepth) throw new Error(nestedTooDeep);
  if (typeof value !== 'object' || value === null) return;
  for (const inner of Object.values(value)) checkDepth(inner, depth + 1);
};

const readConfig = (file: string): Tree => {
  let value: unknown;
  try {
    value = parseYaml(readForeignFile(file, maxConfigBytes).toString('utf8'));
    checkDepth(value);
  } catch (error) {
    throw new UsageError(`--config ${file}: ${(error as Error).message}`);
  }
  const tree = value ?? {};
  if (!isTree(tree))
    throw new UsageError(`--config ${file}: expected stages with their parameters, got ${describeValue(value)}`);
  for (const [stage, entry] of Object.entries(tree)) {
    if (!isTree(entry))
      throw new UsageError(`--config ${file}: expected parameters below \`${stage}\`, got ${describeValue(entry)}`);
  }
  return tree;
};

const parseAssignment = (text: string): Tree => {
  const match = /^([^=.]+)\.([^=]+)=(.*)$/s.exec(text);
  if (!match) throw new UsageError(`--set: expected stage.key=value, got \`${text}\``);
  const [, stage, key, raw] = match as unknown as [string, string, string, string];
  let value: unknown = raw;
  try {
    value = JSON.parse(raw);
  } catch {
    // Not JSON: a text, as typed.
  }
  return { [stage]: key.split('.').reduceRight((inner: unknown, part) => ({ [part]: inner }), value) as Tree };
};

const merge = (into: Tree, from: Tree, source: string, sources: Map<string, string>, place = ''): void => {
  for (const [key, value] of Object.entries(from)) {
    const path = place === '' ? key : `${place}.${key}`;
    if (isTree(value)) {
      const existing = Object.hasOwn(into, key) ? into[key] : undefined;
      const inner: Tree = isTree(existing) ? existing : {};
      // Own property, whatever the key is called: `__proto__` must be refused like any unknown key, not followed.
      Object.defineProperty(into, key, { value: inner, enumerable: true, writable: true, configurable: true });
      if (Object.keys(value).length === 0) sources.set(path, source);
      merge(inner, value, source, sources, path);
    } else {
      Object.defineProperty(into, key, { value, enumerable: true, writable: true, configurable: true });
      sources.set(path, source);
    }
  }
};

type Issue = {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
};

const explainIssue = (
  stage: string,
  schema: SchemaNode,
  given: unknown,
  issue: Issue,
  sources: ReadonlyMap<string, string>,
): string[] => {
  const place = issue.path.reduce<string>(
    (at, step) => (typeof step === 'number' ? `${at}[${step}]` : `${at}.${String(step)}`),
    stage,
  );
  const node = nodeAt(schema, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(node?.properties ?? {});
    return (issue.keys ?? [])
      .slice(0, mostProblems)
      .map(
        (key) =>
          `unknown parameter \`${place}.${key}\` in ${sourceBelow(sources, `${place}.${key}`)}: ${nearestOf(key, known)}`,
      );
  }
  const value = issue.path.reduce<unknown>((at, step) => (at as Tree | undefined)?.[step as string], given);
  const source = sourceBelow(sources, place, '');
  const from = source === '' ? '' : `, in ${source}`;
  if (issue.code === 'custom' || !node) return [`${place}: ${issue.message}, got ${describeValue(value)}${from}`];
  return [`${place}: expected ${describeNode(node)}, got ${describeValue(value)}${from}`];
};

/** Where a path, or something below or above it, came from. */
const sourceBelow = (sources: ReadonlyMap<string, string>, path: string, otherwise = 'the configuration'): string => {
  for (const [key, source] of sources) if (key === path || key.startsWith(`${path}.`)) return source;
  for (const [key, source] of sources) if (path.startsWith(`${key}.`) || path.startsWith(`${key}[`)) return source;
  return otherwise;
};

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
