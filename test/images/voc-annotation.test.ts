import assert from 'node:assert/strict';
import { readVocAnnotation } from '../../src/images/voc-annotation.js';
import { parseXml } from '../../src/images/voc-xml.js';
import { UsageError } from '../../src/pipeline/usage-error.js';

const parse = (text: string) => parseXml(Buffer.from(text), 'a.xml');
const refuses = (text: string | Buffer, message: RegExp): void =>
  assert.throws(
    () => parseXml(Buffer.from(text), 'a.xml'),
    (error) => error instanceof UsageError && message.test(error.message),
  );

describe('XML of annotations', () => {
  it('is read as elements with text, past declarations, comments and attributes', () => {
    const root = parse(
      '\ufeff<?xml version="1.0"?>\n<!-- a > b --><a x="1>2" y=\'"\'>\n <b> c &amp; &lt;d&gt; </b><e/><b>2</b ></a>\n',
    );
    assert.deepEqual(
      root.children.map(({ name, text }) => [name, text]),
      [
        ['b', 'c & <d>'],
        ['e', ''],
        ['b', '2'],
      ],
    );
  });

  it('is refused with file and line where it is not whole', () => {
    refuses('<a>\n<b></a>', /a\.xml, line 2: expected <\/b>, got <\/a>/);
    refuses('<a>\n\n<b>', /a\.xml, line 3: <b> is never closed/);
    refuses('<a></a>\n<b></b>', /line 2: expected one root element, got also <b>/);
    refuses('<a></a></a>', /expected no closing tag, got <\/a>/);
    refuses('<a></a>\ntail', /expected XML, got `tail`/);
    refuses('not XML', /line 1: expected XML, got `not XML`/);
    refuses('', /expected an XML element, got none/);
    refuses('<a><b c=1></b></a>', /expected a tag of plain XML, got `<b c=1><\/b><\/a>`/);
    refuses('<a><!-- </a>', /expected a tag of plain XML/);
  });

  it('is refused with entities of its own, document types and CDATA', () => {
    refuses('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', /expected a tag of plain XML, got `<!DOCTYPE/);
    refuses('<a>&x;</a>', /expected no entities but lt, gt, amp, quot, apos, got `&x;`/);
    refuses('<a>&constructor;</a>', /got `&constructor;`/);
    refuses('<a>salt & pepper</a>', /got `&`/);
    refuses('<a><![CDATA[x]]></a>', /expected a tag of plain XML/);
  });

  it('may name characters by their number, decimal or hexadecimal', () => {
    assert.equal(parse('<a>caf&#233; &#xE9;&#xe9; &#0065; &#x1F600;&#x10FFFF;|&#9;&#xD7FF;&#xFFFD;|</a>').text, 'café éé A 😀\u{10ffff}|\t\ud7ff\ufffd|'); // prettier-ignore
    // What a number stands for is text, not markup or another reference.
    assert.deepEqual(parse('<a>&#60;b&#62;&#38;lt;</a>'), { name: 'a', text: '<b>&lt;', children: [] });
  });

  it('is refused with numbers of characters that XML does not allow', () => {
    for (const number of ['0', '8', '27', 'x1B', 'xD800', 'xDFFF', 'xFFFE', 'x110000', 'xFFFFFFFF', '99999999']) {
      refuses(`<a>&#${number};</a>`, new RegExp(`character that XML allows, got \`&#${number};\``));
    }
    for (const broken of ['&#;', '&#x;', '&#65', '&#X41;', '&#6a;', '&#-1;', `&#${'0'.repeat(8)}65;`]) {
      refuses(`<a>${broken}</a>`, /expected no entities but lt, gt, amp, quot, apos/);
    }
    refuses('<a></a>&#65;', /expected XML, got `&#65;`/);
  });

  it('is refused where it is too large, too deep, or no text', () => {
    refuses(Buffer.alloc(4 * 1024 * 1024 + 1, ' '), /at most 4194304 bytes, got 4194305/);
    refuses('<a>'.repeat(40) + '</a>'.repeat(40), /expected elements at most 32 deep/);
    refuses(Buffer.from([0x3c, 0x61, 0xff, 0xfe]), /expected text in UTF-8/);
  });

  it('takes time in proportion to its length, whatever it holds', () => {
    const n = 400_000;
    for (const text of [
      `<a${' '.repeat(n)}`,
      `<a${' b="c"'.repeat(n / 6)}`,
      `<!--${'-'.repeat(n)}`,
      `<a>${'&'.repeat(n)}`,
    ]) {
      assert.throws(() => parse(text), UsageError);
    }
    assert.equal(parse(`<a>${'<b/>'.repeat(n / 4)}</a>`).children.length, n / 4);
  }).timeout(10_000);
});

const annotation = (
  objects: string,
  size = '<size><width>40</width><height>30</height><depth>3</depth></size>',
): Buffer => Buffer.from(`<annotation><folder>color</folder>${size}<segmented>0</segmented>${objects}</annotation>`);

describe("annotations in Pascal VOC's format", () => {
  const box = '<bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>10</xmax><ymax>20</ymax></bndbox>';

  it('have corners of first and last pixel, counted from 1', () => {
    const { folder, size, objects } = readVocAnnotation(
      annotation(
        `<object><name>cat</name><difficult>1</difficult>${box}</object><object><name>dog</name>${box}</object>`,
      ),
      'a.xml',
    );
    assert.deepEqual([folder, size], ['color', [40, 30]]);
    assert.deepEqual(objects, [
      { className: 'cat', box: { x: 0, y: 1.5, width: 10, height: 18.5 }, difficult: true },
      { className: 'dog', box: { x: 0, y: 1.5, width: 10, height: 18.5 }, difficult: false },
    ]);
  });

  it('are read past parts of bodies, which have names and boxes of their own', () => {
    const part =
      '<part><name>head</name><bndbox><xmin>3</xmin><ymin>3</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></part>';
    const { objects } = readVocAnnotation(annotation(`<object>${part}<name>person</name>${box}</object>`), 'a.xml');
    assert.deepEqual(
      objects.map(({ className, box: { width } }) => [className, width]),
      [['person', 10]],
    );
  });

  it('may lack a size, or give 0 for it', () => {
    assert.equal(readVocAnnotation(annotation('', ''), 'a.xml').size, undefined);
    const zero = '<size><width>0</width><height>0</height></size>';
    assert.equal(readVocAnnotation(annotation('', zero), 'a.xml').size, undefined);
  });

  it('are refused with the object that is not as expected', () => {
    const refused = (objects: string, message: RegExp): void =>
      assert.throws(() => readVocAnnotation(annotation(objects), 'a.xml'), message);
    refused(`<object>${box}</object>`, /a\.xml, object 1: expected a <name>, got none/);
    refused('<object><name>cat</name></object>', /object 1 \(cat\): expected a <bndbox>, got none/);
    const broken = box.replace('<xmax>10</xmax>', '<xmax>ten</xmax>');
    refused(
      `<object><name>a</name>${box}</object><object><name>cat</name>${broken}</object>`,
      /object 2 \(cat\): expected <xmax> to be a number, got `ten`/,
    );
    refused(
      `<object><name>cat</name>${box.replace('<ymin>2.5</ymin>', '')}</object>`,
      /expected <ymin> to be a number, got ``/,
    );
    refused(`<object><name>cat</name>${box.replace('2.5', 'Infinity')}</object>`, /got `Infinity`/);
    refused(
      `<object><name>cat</name><difficult>yes</difficult>${box}</object>`,
      /expected <difficult> to be 0 or 1, got `yes`/,
    );
    assert.throws(
      () => readVocAnnotation(Buffer.from('<html></html>'), 'a.xml'),
      /a\.xml: expected an <annotation> of Pascal VOC, got <html>/,
    );
  });
});
