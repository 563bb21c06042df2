import { sha256 } from '../pipeline/canonical-json.js';

/** A video that is named by its address. */
export type VideoAddress = {
  /** In its normal spelling, without a fragment; with all that it takes to ask for it, secrets included. */
  readonly address: string;
  /** How a person knows it, see {@link shownAddress}. */
  readonly label: string;
};

/** Whether a line of a list names an address and no file: it begins with a scheme (`https://`, also `rtsp://`, which is then refused by its name). */
export const isAddress = (line: string): boolean => /^[a-z][a-z\d+.-]*:\/\//i.test(line);

/**
 * An address as it may stand in ledgers, reports and messages: no user, no password, and of a query, which often holds a token, only six
 * digits of its hash, by which two of them can be told apart: `https://host/watch?…1a2b3c`.
 */
export const shownAddress = ({ protocol, host, pathname, search }: URL): string =>
  `${protocol}//${host}${pathname}${search === '' ? '' : `?…${sha256(search).slice(0, 6)}`}`;

/** The address that a line names (see {@link isAddress}). What is no valid address is kept as it is, to be refused with its reason. */
export const parseAddress = (line: string): VideoAddress => {
  if (!URL.canParse(line)) return { address: line, label: line.replace(/\/\/[^/]*@/, '//').replace(/[?#].*$/s, '') };
  const url = new URL(line);
  url.hash = '';
  return { address: url.href, label: shownAddress(url) };
};
