import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { RandomStream } from '../../src/numeric/random.js';
import { cacheFolder } from '../../src/provision/cache.js';
import {
  again,
  fromOutside,
  inCoordinator,
  inWorker,
  someOfEach,
  type Victim,
  type Lasted,
} from './fixtures/kill-matrix/blows.js';
import { disturb, type Disturbance } from './fixtures/kill-matrix/disturb.js';
import { disturbed, killedStand, makeStands, type Stand, type Stands } from './fixtures/kill-matrix/stand.js';
import { KillTable } from './fixtures/kill-matrix/table.js';
import type { TinyPipeline } from './fixtures/tiny-run.js';

/**
 * The kill matrix. Each pipeline runs once, and the run folder is kept as it stands before each of its stages. A disturbance copies
 * one of these, is killed while it runs that stage, and goes on to the digest of the undisturbed stage; some go on to the end of the run.
 *
 * Covered: of every name of a place, in every stage, in coordinator and workers, the first, the last and one between; the same of the
 * putting in order after a kill (a kill while recovering) and of a look at a finished run; kills in a row; 100 kills from outside a
 * pipeline at random moments. `VIDEO_SSL_KILL_PLACES=N` takes N of each name in a stage, evenly, instead of three; all where there are no more.
 *
 * `VIDEO_SSL_KILL_MATRIX=FILE.json` writes the table there, as it goes. `VIDEO_SSL_KILL_SHARE=0.1` tries a tenth of it, drawn by seed.
 */
const share = Number(process.env['VIDEO_SSL_KILL_SHARE'] ?? 1);
const outsideKills = Math.ceil(100 * share);
const mostOfEach = Number(process.env['VIDEO_SSL_KILL_PLACES'] ?? 3);
/** Disturbances at a time. */
const atOnce = 2;

/** Seconds of processor time that this process and those that it waited for have taken (Linux; 0 elsewhere). */
const processorSeconds = (): number => {
  if (process.platform !== 'linux') return 0;
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
};

/** Who is killed from outside, how often of all, and in which stages. */
const victims: Readonly<Record<TinyPipeline, readonly [Victim, number, RegExp][]>> = {
  'video-ssl': [
    ['coordinator', 30, /./],
    ['whole group', 25, /./],
    ['tensor process', 25, /pretrain|transfer/],
    ['ffmpeg', 20, /synthesize|index|mine/],
  ],
  'image-ssl': [
    ['coordinator', 40, /./],
    ['whole group', 30, /./],
    ['tensor process', 30, /pretrain|transfer/],
  ],
};

/** Kills that leave much to put in order, by stage. */
const leaving: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  targets: { VIDEO_SSL_KILL_AT_CHILD: 'before flush of outputs#1' },
  index: { VIDEO_SSL_KILL_AT: 'after rename of outputs#1' },
  mine: { VIDEO_SSL_KILL_AT: 'after rename of outputs#2' },
  images: { VIDEO_SSL_KILL_AT: 'after rename of outputs#1' },
  pretrain: { VIDEO_SSL_KILL_AT: 'after row#1' },
  transfer: { VIDEO_SSL_KILL_AT: 'after rename of outputs#3' },
  report: { VIDEO_SSL_KILL_AT: 'before rename#1' },
};

const names = (): string[] => {
  try {
    return readdirSync(cacheFolder(), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(part-|lock)/.test(name),
    );
  } catch {
    return [];
  }
};

describe('the kill matrix', function () {
  this.timeout(4 * 3_600_000);
  const table = new KillTable(process.env['VIDEO_SSL_KILL_MATRIX']);
  const inCache = new Set(names());
  after(() => {
    for (const line of table.lines()) console.log(`      ${line}`);
  });

  for (const pipeline of Object.keys(disturbed) as TinyPipeline[]) {
    describe(pipeline, () => {
      const random = RandomStream.of(8, 'kill matrix', pipeline);
      const killed: Stand[] = [];
      let stands: Stands;

      before(async () => {
        stands = await makeStands(pipeline);
        for (const stand of stands.stages) {
          const blow = leaving[stand.stage];
          if (blow) killed.push(await killedStand(stand, blow, `${stand.stage}, killed`));
        }
      });
      after(() => {
        killed.forEach(({ from }) => from.remove());
        (stands as Stands | undefined)?.remove();
      });

      /** Disturbs, two at a time, until the list is through or enough were struck. */
      const carryOut = async (list: readonly Disturbance[], enough = Infinity): Promise<void> => {
        const before = table.problems.length;
        const [began, spent] = [performance.now(), processorSeconds()];
        const queue = [...list];
        let struck = 0;
        const worker = async (): Promise<void> => {
          while (struck < enough) {
            const next = queue.shift();
            if (!next) return;
            const outcome = await disturb(next);
            struck += Math.min(1, outcome.kills);
            table.add(next, outcome);
          }
        };
        await Promise.all(Array.from({ length: atOnce }, worker));
        const minutes = (performance.now() - began) / 60_000;
        const seconds = (processorSeconds() - spent) / (list.length - queue.length);
        console.log(
          `      ${list.length - queue.length} disturbances, ${struck} struck, in ${minutes.toFixed(1)} min, ` +
            `${seconds.toFixed(1)} s of processor time each`,
        );
        assert.deepEqual(table.problems.slice(before), []);
      };
      /** A share of a list, in an order by chance: one that is broken off has tried some of everything. */
      const sample = (list: readonly Disturbance[]): Disturbance[] =>
        random.sample(list.length, Math.ceil(list.length * share)).map((at) => list[at]!);

      it('goes on to the same digest from every kind of place in the coordinator', async () => {
        const places = stands.stages.flatMap((stand) =>
          someOfEach(stand.points, mostOfEach).map((place) => inCoordinator(stand, place)),
        );
        await carryOut(sample(places));
      });

      it('goes on to the same digest from every kind of place in threads and in the tensor process', async () => {
        const places = stands.stages.flatMap((stand) =>
          someOfEach(stand.childPoints, mostOfEach).map((place) => inWorker(stand, place)),
        );
        await carryOut(sample(places));
      });

      it('goes on to the same digest from a kill while it puts in order what a kill left', async () => {
        const places = killed.flatMap((stand) =>
          someOfEach(stand.points, mostOfEach).map((place) => inCoordinator(stand, place, 'place while recovering')),
        );
        await carryOut(sample(places));
      });

      it('stays as it is when a look at a finished run is killed', async () => {
        const places = someOfEach(stands.finished.points, mostOfEach).map((place) =>
          inCoordinator(stands.finished, place, 'place in a finished run'),
        );
        await carryOut(sample(places));
      });

      it('goes on to the same digest from kill upon kill', async () => {
        const chains = stands.stages.flatMap((stand) => [again(stand, 3, random), again(stand, 5, random)]);
        await carryOut(sample(chains));
      });

      it('goes on to the digest of the whole run from a place in each stage', async () => {
        const { args, digest } = stands.finished;
        const through = stands.stages.map((stand) => {
          const place = stand.points[random.integer(stand.points.length)]!;
          return inCoordinator({ ...stand, args, digest }, place, 'place, on to the end');
        });
        await carryOut(sample(through));
      });

      for (const [victim, percent, where] of victims[pipeline]) {
        it(`goes on to the same digest when a SIGKILL from outside ends: ${victim}`, async () => {
          const fitting = stands.stages.filter(({ stage }) => where.test(stage));
          const total = fitting.reduce((sum, { seconds }) => sum + seconds, 0);
          const enough = Math.ceil((outsideKills * percent) / 100);
          const lasted: Lasted = new Map();
          // A moment of all the time that these stages take; some come too late, so that there are more tries than kills.
          const tries = Array.from({ length: 10 * enough }, (_, k) => {
            let at = random.uniform() * total;
            const stand = fitting.find(({ seconds }) => (at -= seconds) < 0) ?? fitting.at(-1)!;
            return fromOutside(stand, victim, random.uniform(), { atOnce: k % 2 === 0, lasted });
          });
          await carryOut(tries, enough);
          const struck = table.rows().find((row) => row.pipeline === pipeline && row.place === victim)?.struck ?? 0;
          assert.ok(struck >= enough, `only ${struck} of ${enough} kills struck`);
        });
      }

      it('leaves nothing in the cache', () => {
        assert.deepEqual(
          names().filter((name) => !inCache.has(name)),
          [],
        );
      });
    });
  }
});
