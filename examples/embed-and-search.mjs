// Mines tracked pairs of patches from a folder of videos, embeds both ends of every track, and searches: for each beginning of a
// track the nearest ends among all of them.
//
//   node embed-and-search.mjs VIDEOS [WEIGHTS]
//
// WEIGHTS is a folder with weights (`video-ssl run` leaves one a method and seed below pretrain/), or an ONNX encoder of pictures. Without it
// the network is untrained, which is what a trained one must beat.
import { loadNetwork, minePairs, nearest, RunError, untrainedNetwork, UsageError } from 'video-ssl';

const search = async (videos, weights) => {
  // Ctrl-C stops between frames; started again, it goes on from there.
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new RunError('stopped: start it again to go on')));
  const mined = await minePairs({
    videos,
    work: 'runs/embed-and-search',
    signal: stop.signal,
    onProgress: ({ stage, done, total, status }) => status && console.error(`${stage}: ${done} of ${total}`),
  });
  for (const { video, reason } of mined.refused) console.log(`${video} was not used: ${reason}`);

  const [names, starts, ends] = [[], [], []];
  for await (const { record, a, b } of mined.read()) {
    names.push(`${record.videoLabel} at ${record.startTime.toFixed(1)} s`);
    starts.push(a);
    ends.push(b);
  }

  const network = weights === undefined ? await untrainedNetwork({ pictures: starts }) : await loadNetwork(weights);
  try {
    const found = await nearest(await network.embed(starts), await network.embed(ends), { k: 1 });
    for (const [i, [{ row, similarity }]] of found.slice(0, 10).entries()) {
      console.log(`${names[i]}: nearest end that of ${names[row]} (${similarity.toFixed(2)})`);
    }
    const own = found.filter(([{ row }], i) => row === i).length;
    console.log(`${own} of ${names.length} tracks have their own end nearest; by chance 1 would`);
  } finally {
    network.dispose();
  }
};

const [videos, weights] = process.argv.slice(2);
try {
  if (videos === undefined) throw new UsageError('Expected a folder of videos, got none: embed-and-search.mjs VIDEOS');
  await search(videos, weights);
} catch (error) {
  if (!(error instanceof UsageError || error instanceof RunError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
