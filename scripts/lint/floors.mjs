// The house as a lint rule: a room imports only from lower floors, and rooms of one floor do not know each other.
import path from 'node:path';

/** Floor of each room; the table of docs/architecture.md in machine-readable form. */
export const floors = {
  'src/pipeline': 1,
  'src/numeric': 1,
  'src/provision': 1,
  'src/runtime': 2,
  'src/video': 2,
  'src/shards': 2,
  'src/drawing': 2,
  'src/network': 3,
  'src/neighbors': 3,
  'src/tracking': 3,
  'src/synthetic': 3,
  'src/images': 4,
  'src/training': 4,
  'src/triplet': 5,
  'src/contrast': 5,
  'src/transfer': 5,
  'src/report': 6,
  pipelines: 7,
  'src/library': 8,
  'src/program.ts': 8,
  'src/cli.ts': 9,
};

const roomOf = (file) => Object.keys(floors).find((room) => file === room || file.startsWith(`${room}/`));

export const floorsRule = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      up: '{{from}} (floor {{a}}) may not import from {{to}} (floor {{b}}): a room imports only from lower floors.',
      beside: '{{from}} and {{to}} stand on the same floor ({{a}}) and do not know each other.',
      homeless: '{{file}} is in no room: give it one in scripts/lint/floors.mjs and docs/architecture.md.',
      tfjs: 'Only src/runtime may import {{name}}; take `tf` from src/runtime/tensors.js.',
    },
  },
  create(context) {
    const root = context.cwd;
    const file = path.relative(root, context.filename).split(path.sep).join('/');
    if (!file.startsWith('src/') && !file.startsWith('pipelines/')) return {};
    const from = roomOf(file);
    const check = (node) => {
      const source = node.source;
      if (!source || typeof source.value !== 'string') return;
      const name = source.value;
      if (name.startsWith('@tensorflow/') && from !== 'src/runtime') {
        context.report({ node: source, messageId: 'tfjs', data: { name } });
        return;
      }
      if (!name.startsWith('.')) return;
      const target = path
        .relative(root, path.resolve(path.dirname(context.filename), name))
        .split(path.sep)
        .join('/');
      const to = roomOf(target.replace(/\.js$/, '.ts')) ?? roomOf(target);
      if (!to || to === from) return;
      const data = { from, to, a: floors[from], b: floors[to] };
      if (floors[to] === floors[from]) context.report({ node: source, messageId: 'beside', data });
      else if (floors[to] > floors[from]) context.report({ node: source, messageId: 'up', data });
    };
    return {
      Program(node) {
        if (!from) context.report({ node, messageId: 'homeless', data: { file } });
      },
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    };
  },
};
