import { oneLine } from '../markdown.js';

/** Markup that may stand in a page as it is: made by {@link html}, or by a renderer that escapes what it is given. */
export class Html {
  constructor(readonly text: string) {}
}

/** What a template takes: text is escaped, markup is not, nothing (undefined, false) leaves no trace. */
export type Content = Html | string | number | undefined | false | readonly Content[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as a browser shows it literally, in an element or in a quoted attribute; without line breaks and marks that turn writing. */
export const escapeHtml = (text: string): string =>
  oneLine(text).replace(/[&<>"']/g, (character) => entities[character]!);

const render = (content: Content): string => {
  if (content === undefined || content === false) return '';
  if (content instanceof Html) return content.text;
  if (typeof content === 'string') return escapeHtml(content);
  if (typeof content === 'number') return String(content);
  return content.map(render).join('');
};

/** A template whose values are escaped, so that no name from a disk can become markup: only what is {@link Html} already passes. */
export const html = (parts: TemplateStringsArray, ...values: readonly Content[]): Html =>
  new Html(parts.map((part, k) => (k === 0 ? part : render(values[k - 1]) + part)).join(''));

/** A sentence in which `names` stand between backticks: these as code, the rest literally. */
export const sentence = (text: string): Html =>
  html`${text.split(/`([^`]+)`/).map((part, k) => (k % 2 === 1 ? html`<code>${part}</code>` : part))}`;

/** The first digits of a hash, with the whole of it to read or copy. */
export const hashCell = (hash: string): Html =>
  /^[0-9a-f]{40,}$/.test(hash) ? html`<code title="${hash}">${hash.slice(0, 12)}</code>` : html`<code>${hash}</code>`;
