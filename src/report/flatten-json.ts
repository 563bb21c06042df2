import type { Json } from '../pipeline/json.js';

/** `{ a: { b: 1, c: [2, 3] } }` as rows `a.b`, `1` and `a.c`, `2, 3`: nested keys joined by dots, an empty object or list as `none`. */
export const flattenJson = (value: Json, prefix = ''): [string, string][] => {
  if (value === null || typeof value !== 'object')
    return [[prefix, typeof value === 'string' ? value : JSON.stringify(value)]];
  if (Array.isArray(value) && value.every((entry) => entry === null || typeof entry !== 'object'))
    return [[prefix, value.join(', ')]];
  const rows = Object.entries(value).flatMap(([key, entry]) =>
    flattenJson(entry as Json, prefix === '' ? key : `${prefix}.${key}`),
  );
  return rows.length > 0 ? rows : [[prefix, 'none']];
};
