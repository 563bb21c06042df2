const settings = (assignments) => assignments.flatMap((assignment) => ['--set', assignment]);

/** As few steps and pictures as let every stage have something to do. */
const tiny = settings([
  ...['pretrain.steps=4', 'pretrain.batchPairs=4', 'pretrain.checkpointEvery=2', 'pretrain.logEvery=2'],
  ...['synthesize.scenes=6', 'synthesize.trainPerClass=3', 'synthesize.testPerClass=1'],
  ...['synthesize.moving=2', 'synthesize.length=0.3'],
  ...['mine.trackFrames=8', 'mine.stepFrames=8', 'mine.maxWindows=2', 'mine.patchPx=64'],
  ...['pack.cachePx=64', 'pack.sheetPairs=4'],
  ...['transfer.knnK=3', 'transfer.normals.layers=["conv5"]', 'transfer.normals.words=6'],
  ...['transfer.supervised.steps=2', 'transfer.supervised.batch=4', 'transfer.detection.steps=3'],
]);

/** Two threads unless the machine is to choose: equal digests need equal numbers. */
const pipeline = (place, { jobs = '2', device = 'auto' }, args) => [
  ...['pipeline', 'video-ssl', '--', '--work', place.work, '--seeds', '1', '--device', device],
  ...(jobs === undefined || jobs === 'default' ? [] : ['--jobs', jobs]),
  ...args,
];

/** What is done under a condition: commands of `npm run`, and the row that its digest is compared with. */
export const jobs = {
  demo: {
    what: 'demo (one seed, three moving scenes)',
    reference: 'plain',
    limitSeconds: 2400,
    commands: (place, condition) => [pipeline(place, condition, settings(['synthesize.moving=3']))],
  },
  tiny: {
    what: 'tiny pipeline',
    reference: 'plain-tiny',
    limitSeconds: 1200,
    commands: (place, condition) => [pipeline(place, condition, tiny)],
  },
  train: {
    what: 'tiny pipeline, up to trained weights',
    reference: 'plain-train',
    limitSeconds: 1200,
    commands: (place, condition) => [pipeline(place, condition, [...tiny, '--until', 'pretrain'])],
  },
  'set-up': { what: 'set-up', limitSeconds: 900, commands: () => [['setup']] },
};
