/** Errors that this program throws at a person who gave it something that cannot be used. */
const clearNames = new Set([
  'UsageError',
  'RunError',
  'TornLedger',
  'ShardError',
  'VideoRejection',
  'CheckpointProblem',
  'Error',
]);

/** What engine and libraries say when they come upon what nobody thought of. */
const internal = [
  /Cannot (read|set|destructure|convert|mix)|Cannot access/,
  /is not (a function|iterable|a constructor|defined)/,
  /Invalid (array length|string length|typed array|time value)|Array buffer allocation|Maximum call stack|out of memory/i,
  /ERR_|undefined is|\[object |must be of type|must be one of type/,
  /SQLITE_|constraint failed/,
];

/** Why an error is no clear refusal; undefined where it is one. */
export const unclear = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return `threw ${typeof error}`;
  const { name, message } = error;
  const { code } = error as { code?: unknown };
  const text = `${error.constructor.name}: ${message.slice(0, 300)}`;
  if (!clearNames.has(name) || !clearNames.has(error.constructor.name)) return text;
  if (name === 'Error' && typeof code === 'string') return `${text} (${code})`;
  if (message.length < 10 || message.length > 20_000) return `${text} (${message.length} characters)`;
  return internal.some((pattern) => pattern.test(message)) ? text : undefined;
};
