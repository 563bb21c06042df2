import { UsageError } from '../pipeline/usage-error.js';

/** An element of an XML file: its name, its text without the markup, and its children in order. Attributes are passed over. */
export type XmlElement = {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
};

/** Most bytes of an annotation: they are a few kilobytes; a file beyond this is something else. */
export const maxAnnotationBytes = 4 * 1024 * 1024;
const maxDepth = 32;

/** The five entities that need no declaration. */
const named = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" } as const;

/** What may stand between two pieces of text. Every branch is linear in what it matches. */
const markup =
  /<!--[^]*?-->|<\?[^]*?\?>|<(\/?)([A-Za-z_][\w.:-]*)((?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;

/**
 * Reads the part of XML 1.0 that annotations are written in: elements, text, comments, references to characters by number
 * (`&#233;`, `&#xE9;`), and the five entities that need no declaration. Document types (and with them entities of one's own, which
 * can grow without bound or reach for other files) and CDATA are refused, and so is anything after the one root element.
 *
 * @param label names the file in errors
 * @throws UsageError naming the file and the line
 */
export const parseXml = (bytes: Uint8Array, label: string): XmlElement => {
  if (bytes.length > maxAnnotationBytes) {
    throw new UsageError(
      `${label}: expected an annotation of at most ${maxAnnotationBytes} bytes, got ${bytes.length}`,
    );
  }
  const source = decode(bytes, label);
  const fail = (at: number, what: string): never => {
    throw new UsageError(`${label}, line ${source.slice(0, at).split('\n').length}: ${what}`);
  };
  const entity = (all: string, name: string): string => {
    if (Object.hasOwn(named, name) && all.endsWith(';')) return named[name as keyof typeof named];
    const digits = /^#(?:x([\da-fA-F]{1,8})|(\d{1,8}))$/.exec(name);
    if (digits && all.endsWith(';')) {
      const code = digits[1] === undefined ? Number(digits[2]) : parseInt(digits[1], 16);
      if (isCharacter(code)) return String.fromCodePoint(code);
      throw new UsageError(`${label}: expected the number of a character that XML allows, got \`${all}\``);
    }
    throw new UsageError(`${label}: expected no entities but ${Object.keys(named).join(', ')}, got \`${all}\``);
  };
  type Open = { name: string; text: string; children: XmlElement[]; at: number };
  const document: Open = { name: '', text: '', children: [], at: 0 };
  const open: Open[] = [document];
  const top = (): Open => open[open.length - 1] as Open;
  for (let at = 0; at < source.length;) {
    const next = source.indexOf('<', at);
    const text = source.slice(at, next < 0 ? undefined : next);
    top().text += text.includes('&') ? text.replace(/&([^;\s&]*);?/g, (all, name: string) => entity(all, name)) : text;
    if (open.length === 1 && text.trim() !== '') fail(at, `expected XML, got \`${text.trim().slice(0, 20)}\``);
    if (next < 0) break;
    markup.lastIndex = next;
    const found = markup.exec(source);
    if (!found) return fail(next, `expected a tag of plain XML, got \`${source.slice(next, next + 20)}\``);
    at = markup.lastIndex;
    const [, closing, name, , alone] = found;
    if (name === undefined) continue; // a comment or an instruction
    if (closing) {
      const done = open.pop() as Open;
      if (open.length === 0 || done.name !== name) {
        const expected = open.length === 0 ? 'no closing tag' : `</${done.name}>`;
        return fail(next, `expected ${expected}, got </${name}>`);
      }
      top().children.push({ name, text: done.text.trim(), children: done.children });
      continue;
    }
    if (open.length === 1 && document.children.length > 0) fail(next, `expected one root element, got also <${name}>`);
    if (alone) top().children.push({ name, text: '', children: [] });
    else if (open.push({ name, text: '', children: [], at: next }) > maxDepth + 1) {
      fail(next, `expected elements at most ${maxDepth} deep, got more`);
    }
  }
  if (open.length > 1) fail(top().at, `<${top().name}> is never closed`);
  return document.children[0] ?? fail(0, 'expected an XML element, got none');
};

/** XML 1.0's `Char`: no control characters but tab and line ends, no halves of surrogate pairs, nothing beyond Unicode. */
const isCharacter = (code: number): boolean =>
  [0x9, 0xa, 0xd].includes(code) ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff);

const decode = (bytes: Uint8Array, label: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${label}: expected text in UTF-8, got other bytes`);
  }
};
