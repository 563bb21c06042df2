import { z } from 'zod';

/** A node of a JSON schema, as far as it is used here. */
export type SchemaNode = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode | false;
  readonly prefixItems?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
};

/** The JSON schema of what a stage accepts. Throws (a mistake in the stage) where an object would let unknown keys through. */
export function schemaOf(stage: string, schema: z.ZodType): SchemaNode {
  const node = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  refuseLoose(node, stage);
  return node;
}

/** The node at a path of keys and indices, if there is one. */
export function nodeAt(node: SchemaNode, path: readonly PropertyKey[]): SchemaNode | undefined {
  let at: SchemaNode | undefined = node;
  for (const step of path) {
    if (!at) return undefined;
    if (typeof step === 'number') at = at.prefixItems?.[step] ?? (at.items || undefined);
    else {
      const record: SchemaNode | undefined =
        typeof at.additionalProperties === 'object' ? at.additionalProperties : undefined;
      const among: SchemaNode | undefined = [...(at.anyOf ?? []), ...(at.oneOf ?? [])].find(
        (option) => option.properties?.[String(step)],
      );
      at = at.properties?.[String(step)] ?? among?.properties?.[String(step)] ?? record;
    }
  }
  return at;
}

/** What a value must be, for people: `a number above 0`, `one of "sgd", "adamw"`. */
export function describeNode(node: SchemaNode): string {
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return `one of ${node.enum.map((value) => JSON.stringify(value)).join(', ')}`;
  const options = node.anyOf ?? node.oneOf;
  if (options) return options.map(describeNode).join(' or ');
  switch (node.type) {
    case 'integer':
      return `a whole number${range(node)}`;
    case 'number':
      return `a number${range(node)}`;
    case 'string':
      return 'a text';
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return node.items
        ? `a list, each ${describeNode(node.items)}`
        : node.prefixItems
          ? `a list of ${node.prefixItems.length}`
          : 'a list';
    case 'object':
      return 'keys and values';
    default:
      return 'something else';
  }
}

/** A value as it came, with its type: `"x" (string)`. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  const type = value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;
  // JSON has no word for `1e400`.
  return `${typeof value === 'number' ? String(value) : JSON.stringify(value)} (${type})`;
}

const range = (node: SchemaNode): string => {
  // zod bounds whole numbers by what a double can hold; that is no news to anybody.
  const { MAX_SAFE_INTEGER: huge } = Number;
  const low = node.minimum !== undefined && node.minimum > -huge ? node.minimum : undefined;
  const high = node.maximum !== undefined && node.maximum < huge ? node.maximum : undefined;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  const parts: string[] = [];
  if (node.exclusiveMinimum !== undefined) parts.push(`above ${node.exclusiveMinimum}`);
  if (low !== undefined) parts.push(`of at least ${low}`);
  if (node.exclusiveMaximum !== undefined) parts.push(`below ${node.exclusiveMaximum}`);
  if (high !== undefined) parts.push(`of at most ${high}`);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
};

const refuseLoose = (node: SchemaNode, place: string): void => {
  if (node.properties && node.additionalProperties !== false) {
    throw new Error(`Expected the parameters \`${place}\` to be a z.strictObject, so that unknown keys are refused`);
  }
  for (const [key, child] of Object.entries(node.properties ?? {})) refuseLoose(child, `${place}.${key}`);
  for (const child of [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.prefixItems ?? [])])
    refuseLoose(child, place);
  if (node.items) refuseLoose(node.items, `${place}[]`);
};
