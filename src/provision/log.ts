/** Where set-up says what it does, one line at a time, without a line end. */
export type Log = (line: string) => void;
