import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { checkDetectionDataset, loadDetection, openDetectionDataset } from '../../src/images/detection-dataset.js';
import { loadSavedDetection, saveDetection } from '../../src/images/detection-file.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { writeScenes } from '../../src/synthetic/write-scenes.js';

const shared = path.resolve('..', 'shared', 'data', 'images', 'detection');

/** A picture whose left half is red and whose right half is blue. */
const picture = (width: number, height: number, orientation?: number): Promise<Buffer> => {
  const data = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) data[3 * i + (i % width < width / 2 ? 0 : 2)] = 200;
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  const quality = { quality: 100, chromaSubsampling: '4:4:4' };
  return (orientation === undefined ? image : image.withMetadata({ orientation })).jpeg(quality).toBuffer();
};

type Corners = [name: string, x0: number, y0: number, x1: number, y1: number, difficult?: 0 | 1];

const xml = (size: [number, number] | undefined, objects: readonly Corners[]): string =>
  `<annotation>${size ? `<size><width>${size[0]}</width><height>${size[1]}</height></size>` : ''}${objects
    .map(
      ([name, x0, y0, x1, y1, difficult = 0]) =>
        `<object><name>${name}</name><difficult>${difficult}</difficult><bndbox><xmin>${x0}</xmin><ymin>${y0}</ymin>` +
        `<xmax>${x1}</xmax><ymax>${y1}</ymax></bndbox></object>`,
    )
    .join('')}</annotation>`;

describe('detection data sets', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'detection-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, content: string | Buffer): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  };
  const refuses = async (message: RegExp): Promise<void> => {
    const right = (error: unknown): boolean => error instanceof UsageError && message.test(error.message);
    await assert.rejects(openDetectionDataset(folder), (error) => right(error) || assert.fail(error as Error));
  };

  describe("in Pascal VOC's layout", () => {
    const add = async (name: string, objects: readonly Corners[], root = ''): Promise<void> => {
      write(`${root}JPEGImages/${name}.jpg`, await picture(40, 30));
      write(`${root}Annotations/${name}.xml`, xml([40, 30], objects));
    };
    const list = (name: string, ...names: string[]): void =>
      write(`ImageSets/Main/${name}.txt`, `${names.join('\n')}\n`);
    const names = (part: readonly { name: string }[]): string[] => part.map(({ name }) => name);

    it('have boxes by their edges, labels in order of the names, and flags', async () => {
      await add('1', [
        ['dog', 1, 1, 40, 30],
        ['cat', 11, 6, 20, 10, 1],
      ]);
      await add('2', [['dog', 3, 3, 3, 3]]);
      list('train', '1');
      list('val', '2');
      const { classes, train, test, remarks } = await openDetectionDataset(folder);
      assert.deepEqual(classes, ['cat', 'dog']);
      const flags = { crowd: false, difficult: false };
      assert.deepEqual(train[0]!.objects, [
        { label: 1, box: { x: 0, y: 0, width: 40, height: 30 }, ...flags },
        { label: 0, box: { x: 10, y: 5, width: 10, height: 5 }, ...flags, difficult: true },
      ]);
      assert.deepEqual(test[0]!.objects, [{ label: 1, box: { x: 2, y: 2, width: 1, height: 1 }, ...flags }]);
      assert.deepEqual([train[0]!.name, train[0]!.width, train[0]!.height, remarks], ['1', 40, 30, []]);
    });

    it('are split by their lists: trainval and test, where test is annotated, else train and val', async () => {
      for (const name of ['1', '2', '3']) await add(name, [['cat', 1, 1, 9, 9]]);
      list('train', '1');
      list('val', '2  1', '');
      list('trainval', '1', '2');
      list('test', '3');
      const all = await openDetectionDataset(folder);
      assert.deepEqual([names(all.train), names(all.test)], [['1', '2'], ['3']]);
      list('test', '4', '5'); // VOC2012's test is not annotated
      const without = await openDetectionDataset(folder);
      assert.deepEqual([names(without.train), names(without.test)], [['1'], ['2']]);
    });

    it('are split by the seed without lists, with every class in train', async () => {
      for (let i = 0; i < 10; i++)
        await add(`${i}`, [['cat', 1, 1, 9, 9], ...(i === 4 ? [['rare', 2, 2, 8, 8] as Corners] : [])]);
      const seen = new Set<string>();
      for (let seed = 1; seed <= 8; seed++) {
        const { train, test, classes } = await openDetectionDataset(folder, { seed });
        assert.ok(names(train).includes('4'), `seed ${seed}`);
        assert.deepEqual(classes, ['cat', 'rare']);
        assert.equal(new Set([...names(train), ...names(test)]).size, 10);
        assert.ok(test.length >= 3 && test.length <= 4);
        seen.add(names(test).join());
      }
      assert.ok(seen.size > 4);
      const again = await openDetectionDataset(folder, { seed: 3 });
      assert.equal(again.digest, (await openDetectionDataset(folder, { seed: 3 })).digest);
      assert.equal((await openDetectionDataset(folder, { testShare: 0.2 })).test.length, 2);
    });

    it('are not split where every class is in one picture alone', async () => {
      await add('1', [['cat', 1, 1, 9, 9]]);
      await refuses(/expected at least 2 annotated pictures to split, got 1/);
      await add('2', [['dog', 1, 1, 9, 9]]);
      await refuses(/expected pictures to test on whose classes other pictures show too, got none among 2/);
    });

    it('may lie in a folder of their own, but not in two', async () => {
      for (const name of ['1', '2']) await add(name, [['cat', 1, 1, 9, 9]], 'VOC2007/');
      assert.equal((await openDetectionDataset(folder)).train.length, 1);
      await add('1', [['cat', 1, 1, 9, 9]], 'VOC2012/');
      await refuses(/expected one folder of Annotations\/\*\.xml, got one in each of VOC2007\/, VOC2012\//);
    });

    it('clip boxes to the picture, and leave out what is then empty with a remark', async () => {
      await add('1', [
        ['cat', -5, 0, 50, 20],
        ['cat', 41, 1, 60, 20],
        ['cat', 20, 20, 10, 25],
      ]);
      await add('2', [['cat', 1, 1, 9, 9]]);
      list('train', '1');
      list('test', '2');
      const { train, remarks } = await openDetectionDataset(folder);
      assert.deepEqual(
        train[0]!.objects.map(({ box }) => box),
        [{ x: 0, y: 0, width: 40, height: 20 }],
      );
      assert.deepEqual(remarks, [
        'JPEGImages/1.jpg: left out a box of `cat` with nothing in 40 x 30 px: 40, 0, 60, 20',
        'JPEGImages/1.jpg: left out a box of `cat` with nothing in 40 x 30 px: 19, 19, 10, 25',
      ]);
    });

    it('follow the flag of orientation where the annotated size, or its absence, says so', async () => {
      const turned = await picture(40, 30, 6); // upright: 30 x 40, red above blue
      const tops: number[][] = [];
      for (const size of [[30, 40], [40, 30], undefined] as const) {
        for (const name of ['1', '2']) {
          write(`JPEGImages/${name}.jpg`, turned);
          write(`Annotations/${name}.xml`, xml(size && [...size], [['cat', 1, 1, 9, 9]]));
        }
        const set = await openDetectionDataset(folder);
        const { raster } = (await loadDetection(set, 64)).train[0]!;
        assert.deepEqual([raster.width, raster.height], [set.train[0]!.width, set.train[0]!.height]);
        const at = (x: number, y: number): number => (raster.data[3 * (y * raster.width + x)]! > 100 ? 1 : 0);
        tops.push([raster.width, at(2, 2), at(raster.width - 3, 2), at(2, raster.height - 3)]);
      }
      assert.deepEqual(tops, [
        [30, 1, 1, 0],
        [40, 1, 0, 1],
        [30, 1, 1, 0],
      ]);
      write('Annotations/1.xml', xml([20, 15], [['cat', 1, 1, 9, 9]]));
      await refuses(/Annotations\/1\.xml: expected JPEGImages\/1\.jpg to have the annotated 20 x 15 px, got 30 x 40/);
    });

    it('are refused with the file that is not as expected', async () => {
      await add('1', [['cat', 1, 1, 9, 9]]);
      await add('2', [['cot', 1, 1, 9, 9]]);
      list('train', '1');
      list('test', '2');
      await refuses(/Annotations\/2\.xml: class `cot` has no box in the train part/);
      await add('2', [['cat', 1, 1, 9, 9]]);
      list('test', '2', '7');
      await refuses(/ImageSets\/Main\/test\.txt: no annotation Annotations\/7\.xml/);
      list('test', '2', '1');
      await refuses(/expected each picture once, got `1` in train\.txt and in test\.txt/);
      list('test', '2', '2');
      await refuses(/expected each picture once, got `2` twice in test\.txt/);
      rmSync(path.join(folder, 'ImageSets/Main/test.txt'));
      await refuses(/ImageSets\/Main\/: expected a list to test on, val\.txt or a test\.txt with annotated pictures, got neither/); // prettier-ignore
      list('trainval', '1', '2');
      rmSync(path.join(folder, 'ImageSets/Main/train.txt'));
      await refuses(/expected a list to test on, .*, got neither/);
      list('test', '8');
      await refuses(/expected a list to test on, .*, got a test\.txt without annotated pictures, and no val\.txt/);
      list('val', '2');
      await refuses(/expected a list to train on, train\.txt beside val\.txt, got none/);
      rmSync(path.join(folder, 'ImageSets/Main/val.txt'));
      rmSync(path.join(folder, 'ImageSets/Main/trainval.txt'));
      list('test', '2');
      await refuses(/expected a list to train on, train\.txt or trainval\.txt, got none/);
      list('train', '1');
      list('test', '2');
      rmSync(path.join(folder, 'JPEGImages/2.jpg'));
      await refuses(/Annotations\/2\.xml: expected its picture as JPEGImages\/2\.jpg, got none/);
      assert.throws(() => checkDetectionDataset(folder), /expected its picture/);
      write('JPEGImages/2.jpg', 'no picture');
      checkDetectionDataset(folder);
      await refuses(/Could not read JPEGImages\/2\.jpg \(annotated in .*Annotations\/2\.xml\)/);
      write('Annotations/2.xml', xml([40, 30], []));
      await refuses(/expected boxes in the test part, got none in 1 picture/);
      await add('2', [['cat', 1, 1, 9, 9, 1]]);
      await refuses(/expected boxes in the test part, got difficult ones and crowds alone in 1 picture/);
      await add('2', [['cat', 50, 1, 60, 9]]);
      await refuses(/expected boxes in the test part, got none in 1 picture/);
    });

    it('are refused when a picture breaks off, once it is decoded', async () => {
      await add('1', [['cat', 1, 1, 9, 9]]);
      await add('2', [['cat', 1, 1, 9, 9]]);
      const whole = await picture(640, 480);
      write('JPEGImages/2.jpg', whole.subarray(0, whole.length - 1000));
      write('Annotations/2.xml', xml([640, 480], [['cat', 1, 1, 9, 9]]));
      const set = await openDetectionDataset(folder);
      await assert.rejects(loadDetection(set, 32), /Could not decode JPEGImages\/2\.jpg/);
    });

    it('change their digest with a box, a picture and the split, and not with their place', async () => {
      for (const name of ['1', '2', '3']) await add(name, [['cat', 1, 1, 9, 9]]);
      list('train', '1', '2');
      list('test', '3');
      const digests = [(await openDetectionDataset(folder)).digest];
      const elsewhere = mkdtempSync(path.join(tmpdir(), 'elsewhere-'));
      cpSync(folder, elsewhere, { recursive: true });
      assert.equal((await openDetectionDataset(elsewhere)).digest, digests[0]);
      rmSync(elsewhere, { recursive: true });
      list('train', '2', '1');
      digests.push((await openDetectionDataset(folder)).digest);
      await add('1', [['cat', 1, 1, 9, 10]]);
      digests.push((await openDetectionDataset(folder)).digest);
      write('JPEGImages/1.jpg', await picture(40, 30, 1));
      digests.push((await openDetectionDataset(folder)).digest);
      assert.equal(new Set(digests).size, 4);
    });

    it("are the demo's own rendered rooms", async () => {
      await writeScenes(folder, 1, 4);
      checkDetectionDataset(folder);
      const { classes, train, test } = await openDetectionDataset(folder);
      assert.deepEqual(classes, ['ball', 'box', 'post']);
      assert.equal(train.length + test.length, 4);
      assert.match(train[0]!.file.label, /^color\/\d\.png$/);
      assert.ok([...train, ...test].flatMap(({ objects }) => objects).length > 4);
    });
  });

  describe("in COCO's layout", () => {
    const image = (id: number) => ({ id, file_name: `${id}.jpg`, width: 40, height: 30 });
    const found = (image_id: number, category_id: number, bbox = [1.5, 2, 10, 20], more = {}) => ({
      image_id,
      category_id,
      bbox,
      ...more,
    });
    const categories = [
      { id: 9, name: 'zebra' },
      { id: 4, name: 'yak' },
      { id: 7, name: 'ape' },
    ];
    const instances = (name: string, content: object): void =>
      write(`annotations/instances_${name}.json`, JSON.stringify({ categories, ...content }));
    beforeEach(async () => {
      for (const split of ['train2017', 'val2017']) {
        for (const id of [1, 2]) write(`images/${split}/${id}.jpg`, await picture(40, 30));
      }
      instances('train2017', {
        images: [image(1), image(2)],
        annotations: [
          found(2, 9, [30, 20, 20, 20], { iscrowd: 1, area: 90 }),
          found(1, 9, undefined, { area: 77.5, iscrowd: 0 }),
          found(1, 4, [0, 0, 0, 5]),
          found(1, 4),
        ],
      });
      instances('val2017', { images: [image(1), image(2)], annotations: [found(2, 4), found(2, 7)] });
    });

    it('have labels by category number, crowds and areas; what train lacks is left out of test with a remark', async () => {
      const { classes, train, test, remarks } = await openDetectionDataset(folder);
      assert.deepEqual(classes, ['yak', 'zebra']);
      const plain = { difficult: false, crowd: false };
      assert.deepEqual(
        train.map(({ objects }) => objects),
        [
          [
            { label: 1, box: { x: 1.5, y: 2, width: 10, height: 20 }, ...plain, area: 77.5 },
            { label: 0, box: { x: 1.5, y: 2, width: 10, height: 20 }, ...plain },
          ],
          [{ label: 1, box: { x: 30, y: 20, width: 10, height: 10 }, difficult: false, crowd: true, area: 90 }],
        ],
      );
      assert.deepEqual(
        test.map(({ objects }) => objects.length),
        [0, 1],
      );
      const loaded = await loadDetection(await openDetectionDataset(folder), 20);
      assert.deepEqual(loaded.train[1]!.objects[0]!.box, { x: 15, y: 10, width: 5, height: 5 });
      assert.equal(loaded.train[1]!.objects[0]!.area, 90 / 4);
      assert.deepEqual(remarks, [
        'images/val2017/2.jpg: left out a box of `ape` (test), which train has none of',
        'images/train2017/1.jpg: left out a box of `yak` with nothing in 40 x 30 px: 0, 0, 0, 5',
      ]);
    });

    it('may be one file, which the seed splits', async () => {
      rmSync(path.join(folder, 'annotations/instances_val2017.json'));
      await refuses(/expected boxes in the test part, got difficult ones and crowds alone in 1 picture/);
      instances('train2017', { images: [image(1), image(2)], annotations: [found(1, 4), found(2, 4)] });
      const { train, test } = await openDetectionDataset(folder);
      assert.deepEqual([train.length, test.length], [1, 1]);
    });

    it('are refused with the file and the annotation that is not as expected', async () => {
      const images = [image(1)];
      instances('val2017', { images, annotations: [found(1, 4), found(8, 4)] });
      await refuses(/instances_val2017\.json, annotation 1: picture 8 is not listed/);
      instances('val2017', { images, annotations: [found(1, 5)] });
      await refuses(/annotation 0: category 5 is not listed/);
      instances('val2017', { images: [image(1), image(1)], annotations: [] });
      await refuses(/expected every picture once, got number 1 twice/);
      instances('val2017', { images: [{ ...image(1), file_name: '../../outside.jpg' }], annotations: [] });
      await refuses(/expected picture `\.\.\/\.\.\/outside\.jpg` in images\/val2017\/, got none/);
      instances('val2017', { images, annotations: [found(1, 4, [1, 2, 3])] });
      await refuses(/instances_val2017\.json: at `annotations\.0\.bbox/);
      instances('val2017', { images, annotations: [found(1, 4)], categories: categories.slice(1) });
      await refuses(/expected the same categories in .*train2017\.json and .*val2017\.json/);
      write('annotations/instances_val2017.json', '{"images": [');
      await refuses(/instances_val2017\.json: expected JSON/);
      instances('train2014', { images, annotations: [] });
      await refuses(/expected one file of instances for train, got .*train2014\.json, .*train2017\.json/);
    });
  });

  it('are refused where there is no layout, no folder, or a share that is none', async () => {
    write('readme.txt', 'nothing');
    await refuses(/expected Annotations\/\*\.xml \(Pascal VOC\) or annotations\/instances_\*\.json \(COCO\), got none/);
    await assert.rejects(openDetectionDataset(path.join(folder, 'none')), /Expected a folder with a data set/);
    await assert.rejects(
      openDetectionDataset(folder, { testShare: 1 }),
      /Expected `testShare` to be a number between 0 and 1/,
    );
  });

  describe('in memory', () => {
    beforeEach(async () => {
      for (const name of ['1', '2']) {
        write(`JPEGImages/${name}.jpg`, await picture(101, 50));
        write(
          `Annotations/${name}.xml`,
          xml(
            [101, 50],
            [
              ['cat', 11, 6, 20, 10],
              ['cat', 1, 1, 101, 50],
            ],
          ),
        );
      }
    });

    it('have no side above the limit, and boxes to match; nothing is enlarged', async () => {
      const set = await openDetectionDataset(folder);
      const { train, classes } = await loadDetection(set, 25);
      const [{ raster, scale, objects, name } = assert.fail()] = train;
      assert.deepEqual([raster.width, raster.height, raster.channels, raster.data.length], [25, 12, 3, 900]);
      assert.deepEqual([classes, name, scale], [['cat'], set.train[0]!.name, 25 / 101]);
      assert.deepEqual(objects[0]!.box, { x: 10 * scale, y: 5 * scale, width: 10 * scale, height: 5 * scale });
      assert.deepEqual(objects[1]!.box, { x: 0, y: 0, width: 25, height: 12 });
      const red = (x: number): boolean => raster.data[3 * (6 * 25 + x)]! > 100;
      assert.deepEqual([red(2), red(22)], [true, false]);
      const large = await loadDetection(set, 500);
      assert.deepEqual([large.train[0]!.raster.width, large.train[0]!.scale], [101, 1]);
      assert.deepEqual(large.train[0]!.objects, set.train[0]!.objects);
      assert.notEqual(large.digest, (await loadDetection(set, 25)).digest);
      await assert.rejects(loadDetection(set, 8), /Expected `maxSidePx` to be an integer from 16 to 4096, got `8`/);
    });

    it('come back from their files as they were', async () => {
      const loaded = await loadDetection(await openDetectionDataset(folder), 33);
      await saveDetection(folder, loaded);
      assert.deepEqual(await loadSavedDetection(folder), loaded);
      const file = path.join(folder, 'detection.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace('"width":33', '"width":32'));
      await assert.rejects(loadSavedDetection(folder), /bytes of pixels in detection\.\*/);
    });
  });

  it('are read from the shared sets with every box', async function () {
    if (!existsSync(shared)) {
      console.log('      (skipped: no shared data beside the project)');
      return this.skip();
    }
    const summary = async (name: string): Promise<unknown[]> => {
      const { classes, train, test, remarks } = await openDetectionDataset(path.join(shared, name));
      const count = (part: typeof train): number => part.flatMap(({ objects }) => objects).length;
      const objects = [...train, ...test].flatMap((image) => image.objects);
      const difficult = objects.filter((object) => object.difficult).length;
      const crowd = objects.filter((object) => object.crowd).length;
      return [classes.length, train.length, test.length, count(train), count(test), difficult, crowd, remarks.length];
    };
    assert.deepEqual(await summary('voc2012-100'), [20, 67, 33, 181, 92, 38, 0, 0]);
    assert.deepEqual(await summary('animals2'), [2, 218, 145, 291, 189, 0, 0, 0]);
    assert.deepEqual(await summary('coco-subset'), [67, 80, 30, 639, 209, 0, 8, 10]);
  });
});
