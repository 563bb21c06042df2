/**
 * Something this machine lacks for a set-up to work: no pip, no network, too little disk. The message is one sentence for a
 * person; `remedy` is the one command or deed that mends it. Anything else that goes wrong in set-up is an ordinary error.
 */
export class SetupProblem extends Error {
  override readonly name = 'SetupProblem';

  constructor(
    message: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Sentence and remedy together, as they are shown. */
  explain(): string {
    return `${this.message} To mend it: ${this.remedy}`;
  }
}
