/**
 * Something this machine lacks for a set-up to work: no pip, no network, too little disk. The message is one sentence for a
 * person; `remedy` is the one command or deed that mends it. Anything else that goes wrong in set-up is an ordinary error.
 */
export class SetupProblem extends Error {
  override readonly name = 'SetupProblem';

  /** Whether set-up must be started again once that is done: nothing else will. */
  readonly thenSetUp: boolean;

  constructor(
    message: string,
    readonly remedy: string,
    { thenSetUp = false, ...options }: ErrorOptions & { readonly thenSetUp?: boolean } = {},
  ) {
    super(message, options);
    this.thenSetUp = thenSetUp;
  }

  /** Sentence and remedy together, as they are shown. @param setup the command that starts set-up */
  explain(setup: string): string {
    return `${this.message} To mend it: ${this.remedy}${this.thenSetUp ? `, then ${setup}` : ''}`;
  }
}
