import { shortened } from './shortened.js';

/** Most characters of a message. */
export const longestMessage = 8000;

/**
 * The person at the command line asked for something that cannot be: exit code 2, no stack trace. The message names the option, what was expected, what
 * came, and the nearest right one; one that would be very long is cut.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(message: string, options?: ErrorOptions) {
    super(shortened(message, longestMessage), options);
  }
}
