// Fails when an export of src/ or pipelines/ has no doc comment, when a test is narrowed with `.only`, or when a number in a
// result table of README.md or docs/ has no result file behind it (a line `<!-- results: FILE -->` must stand above the table).
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '..');
const problems = [];

const walk = (folder) =>
  readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    return entry.isDirectory() ? walk(name) : [name];
  });

const isExported = (node) => (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export) !== 0;

for (const file of [...walk('src'), ...walk('pipelines')].filter((name) => name.endsWith('.ts'))) {
  const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.ES2022, true);
  for (const statement of source.statements) {
    const exported = ts.isVariableStatement(statement)
      ? statement.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)
      : ts.canHaveModifiers(statement) && isExported(statement);
    if (!exported) continue;
    if (ts.getJSDocCommentsAndTags(statement).length > 0) continue;
    const { line } = source.getLineAndCharacterOfPosition(statement.getStart());
    problems.push(`${file}:${line + 1}: export without a doc comment`);
  }
}

for (const file of walk('test').filter((name) => name.endsWith('.ts'))) {
  if (/\b(it|describe)\.only\(/.test(readFileSync(path.join(root, file), 'utf8'))) problems.push(`${file}: .only`);
}

const pages = ['README.md', ...(existsSync(path.join(root, 'docs')) ? walk('docs') : [])].filter((name) =>
  name.endsWith('.md'),
);
for (const page of pages) {
  const text = readFileSync(path.join(root, page), 'utf8');
  for (const [, name] of text.matchAll(/<!-- results: (\S+) -->/g)) {
    if (!existsSync(path.join(root, name))) problems.push(`${page}: result file ${name} is missing`);
  }
  text.split('\n').forEach((line, index, lines) => {
    if (!/±/.test(line) || !line.startsWith('|')) return;
    const above = lines.slice(Math.max(0, index - 40), index).join('\n');
    if (!/<!-- results: \S+ -->/.test(above)) problems.push(`${page}:${index + 1}: a result without a result file`);
  });
}

for (const problem of problems) console.error(problem);
console.log(`check-docs: ${problems.length} problem${problems.length === 1 ? '' : 's'}`);
process.exit(problems.length ? 1 : 0);
