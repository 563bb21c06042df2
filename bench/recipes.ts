// `npm run bench:recipes -- LIST.json`: trains the recipes of a list, seed by seed, each run in a process of its own with one thread, reads the
// networks on targets to choose by and, asked for, on targets to confirm on, and prints the table. What is done already is not done again.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import PQueue from 'p-queue';
import { groupBy } from '../src/numeric/group-by.js';
import { mean, std } from '../src/numeric/statistics.js';
import type { ScoreTask, Scores } from './recipe-score.js';
import { prepareTarget, type RecipeTarget } from './recipe-targets.js';
import { runName, type Recipe, type RecipeRun, type TrainedRecipe } from './recipe-task.js';

/** A list of recipes. */
type RecipeList = {
  /** Folders of packed pairs, by name. */
  readonly pairs: { readonly [name: string]: string };
  readonly seeds: readonly number[];
  /** What there is to read on, by name. */
  readonly targets: { readonly [name: string]: RecipeTarget };
  /** How networks are read, by name: `choose`, `confirm`; `classes` and `normals` are names of targets. */
  readonly readings: { readonly [name: string]: Omit<ScoreTask, 'model' | 'threads'> };
  readonly recipes: readonly Recipe[];
};

/** A run with what it came to. */
type RecipeResult = TrainedRecipe & { readonly scores: { readonly [reading: string]: Scores } };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    work: { type: 'string', default: 'runs/recipes' },
    jobs: { type: 'string', default: '1' },
    readings: { type: 'string', default: 'choose' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
  },
});
const [listFile] = positionals;
if (!listFile) throw new Error('Expected a list of recipes, LIST.json, got nothing');
const list = JSON.parse(await readFile(listFile, 'utf8')) as RecipeList;
const environment = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };

const targetFolder = (name: string): string => path.resolve(values.work, 'targets', name);

const child = async (script: string, task: unknown): Promise<string> => {
  const file = new URL(`./${script}.js`, import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [file, JSON.stringify(task)], { env: environment });
  return stdout;
};

const trained = async (run: RecipeRun, folder: string): Promise<TrainedRecipe> => {
  const file = path.join(folder, 'trained.json');
  if (!existsSync(file)) {
    await mkdir(folder, { recursive: true });
    const pack = path.resolve(list.pairs[run.recipe.pairs]!);
    await child('recipe-train', { ...run, pack, out: folder, threads: 1 });
  }
  return JSON.parse(await readFile(file, 'utf8')) as TrainedRecipe;
};

const scored = async (name: string, folder: string): Promise<Scores> => {
  const file = path.join(folder, `${name}.json`);
  if (!existsSync(file)) {
    const { classes, normals, ...reading } = list.readings[name]!;
    const folders = { classes: targetFolder(classes), normals: targetFolder(normals) };
    await writeFile(file, await child('recipe-score', { ...reading, ...folders, model: folder, threads: 1 }));
  }
  return JSON.parse(await readFile(file, 'utf8')) as Scores;
};

const runOne = async (run: RecipeRun): Promise<RecipeResult> => {
  const folder = path.resolve(values.work, runName(run));
  const about = await trained(run, folder);
  const scores: { [reading: string]: Scores } = {};
  for (const name of values.readings.split(',')) {
    if (run.recipe.readings?.includes(name) ?? true) scores[name] = await scored(name, folder);
  }
  return { ...about, scores };
};

const format = (all: readonly RecipeResult[], reading: string): string => {
  const results = all.filter(({ scores }) => scores[reading]);
  const columns = Object.keys(results[0]?.scores[reading] ?? {});
  const groups = groupBy(results, ({ name, row }) => `${name}/${row}`);
  const cell = (numbers: readonly number[]): string =>
    numbers.length > 1 ? `${mean(numbers).toFixed(2)} ± ${std(numbers).toFixed(2)}` : numbers[0]!.toFixed(2);
  const lines = [...groups].map(([name, group]) =>
    [name, group.length, ...columns.map((column) => cell(group.map(({ scores }) => scores[reading]![column]!)))].join(
      ' | ',
    ),
  );
  return [`${reading} | runs | ${columns.join(' | ')}`, ...lines].join('\n');
};

const runs = list.recipes
  .filter(({ name }) => name.includes(values.only))
  .flatMap((recipe) => (recipe.seeds ?? list.seeds).map((seed) => ({ recipe, seed })));
for (const [name, target] of Object.entries(list.targets)) await prepareTarget(target, targetFolder(name));
const queue = new PQueue({ concurrency: Number(values.jobs) });
const results: RecipeResult[] = [];
await Promise.all(
  runs.map((run) =>
    queue.add(async () => {
      const result = await runOne(run).catch((error: Error) => console.error(`${runName(run)}: ${error.message}`));
      if (!result) {
        process.exitCode = 1;
        return;
      }
      results.push(result);
      console.log(`${runName(run)}: ${result.seconds.toFixed(0)} s ${JSON.stringify(result.scores)}`);
    }),
  ),
);
const order = new Map(runs.map((run, i) => [runName(run), i]));
const place = ({ name, row, seed }: RecipeResult): number =>
  order.get(runName({ recipe: { name, row, pairs: '', pretrain: {} }, seed })) ?? 0;
results.sort((a, b) => place(a) - place(b));
for (const reading of values.readings.split(',')) console.log(`\n${format(results, reading)}`);
if (values.out) await writeFile(values.out, `${JSON.stringify({ ...list, results }, undefined, 2)}\n`);
