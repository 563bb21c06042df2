/** The person at the command line asked for something that cannot be: exit code 2, no stack trace. The message names the option, what was expected, what came, and the nearest right one. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
