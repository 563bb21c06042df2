/** A text cut to so many characters, with how many more there were: a message that quotes what was given must not fill a terminal with it. */
export const shortened = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)} … (${text.length - most} more characters)`;
