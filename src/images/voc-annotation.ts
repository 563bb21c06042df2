import type { Box } from '../numeric/box.js';
import { UsageError } from '../pipeline/usage-error.js';
import { parseXml, type XmlElement } from './voc-xml.js';

/** What a Pascal VOC annotation says of one picture. */
export type VocAnnotation = {
  /** The folder of the picture as the annotation names it, where it does. */
  readonly folder?: string;
  /** Width and height in px, where the annotation says so. */
  readonly size?: readonly [number, number];
  readonly objects: readonly VocObject[];
};

/** One object of an annotation; the box may still reach beyond the picture, or be empty. */
export type VocObject = { readonly className: string; readonly box: Box; readonly difficult: boolean };

const child = (element: XmlElement, name: string): XmlElement | undefined =>
  element.children.find((candidate) => candidate.name === name);

/**
 * Reads an annotation in Pascal VOC's format. Its corners are the first and the last pixel of the object, counted from 1 (VOC2012
 * devkit): `x = xmin - 1`, `width = xmax - xmin + 1`. Corners may have fractions, as some of VOC2011 have. Parts of bodies
 * (`<part>`), pose and the flags `truncated` and `occluded` are passed over.
 *
 * @param label names the file in errors
 * @throws UsageError naming the file and the object that is not as expected
 */
export const readVocAnnotation = (bytes: Uint8Array, label: string): VocAnnotation => {
  const root = parseXml(bytes, label);
  if (root.name !== 'annotation') {
    throw new UsageError(`${label}: expected an <annotation> of Pascal VOC, got <${root.name}>`);
  }
  const folder = child(root, 'folder')?.text;
  const size = sizeOf(root, label);
  const objects = root.children
    .filter(({ name }) => name === 'object')
    .map((element, i) => readObject(element, `${label}, object ${i + 1}`));
  return { ...(folder ? { folder } : {}), ...(size ? { size } : {}), objects };
};

/** Tools that do not know the size write none, or 0. */
const sizeOf = (root: XmlElement, label: string): [number, number] | undefined => {
  const size = child(root, 'size');
  if (!size) return undefined;
  const width = numberIn(size, 'width', label);
  const height = numberIn(size, 'height', label);
  return width === 0 || height === 0 ? undefined : [width, height];
};

const readObject = (element: XmlElement, label: string): VocObject => {
  const className = child(element, 'name')?.text ?? '';
  if (className === '') throw new UsageError(`${label}: expected a <name>, got none`);
  const corners = child(element, 'bndbox');
  if (!corners) throw new UsageError(`${label} (${className}): expected a <bndbox>, got none`);
  const [x0, y0, x1, y1] = ['xmin', 'ymin', 'xmax', 'ymax'].map((name) =>
    numberIn(corners, name, `${label} (${className})`),
  ) as [number, number, number, number];
  const box = { x: x0 - 1, y: y0 - 1, width: x1 - x0 + 1, height: y1 - y0 + 1 };
  const difficult = child(element, 'difficult')?.text ?? '0';
  if (!/^(0|1|)$/.test(difficult)) {
    throw new UsageError(`${label} (${className}): expected <difficult> to be 0 or 1, got \`${difficult}\``);
  }
  return { className, box, difficult: difficult === '1' };
};

const numberIn = (element: XmlElement, name: string, label: string): number => {
  const text = child(element, name)?.text ?? '';
  const value = text === '' ? NaN : Number(text);
  if (!Number.isFinite(value)) {
    throw new UsageError(`${label}: expected <${name}> to be a number, got \`${text}\``);
  }
  return value;
};
