import { sha256 } from '../../../src/pipeline/canonical-json.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import { readVideoList } from '../../../src/video/find-videos.js';
import { fetchParams } from '../params.js';

/** The address of one video, secrets included: payloads are never stored. */
export type FetchPayload = { readonly address: string };

/** What came of one address. */
export type FetchedFile = { readonly sha256: string; readonly bytes: number };

/**
 * `fetch`: brings the videos that a list names by address; an address is an item, and its file an artefact named after its content. What broke off lies
 * in the item's scratch folder, and goes on from there in this run or the next.
 *
 * An address that came is not asked again. One that failed (no connection, a stall, a server that is busy or lied about the length, a limit of the
 * parameters) is tried again by every run; one that was refused (404, no video) stands as rejected until `--retry rejected`. Either way the run goes on
 * with the others.
 */
export const fetchStage = (list: string) =>
  defineStage({
    name: 'fetch',
    version: 1,
    summary: 'fetch the videos that the list names by address',
    params: fetchParams,
    sharedParams: () => ({}),
    inputs: [],
    onFailure: 'continue',
    retriesFailed: true,
    items: () =>
      Promise.resolve(
        readVideoList(list).flatMap((entry) =>
          'address' in entry
            ? [
                {
                  label: entry.label,
                  content: sha256(`address ${entry.address}`),
                  payload: { address: entry.address } satisfies FetchPayload,
                },
              ]
            : [],
        ),
      ),
    work: {
      module: new URL('./fetch.work.js', import.meta.url),
      runs: 'thread',
      atOnce: ({ concurrency }) => concurrency,
    },
  });
