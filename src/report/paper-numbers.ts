/** A number that somebody else published. */
export type PublishedNumber = {
  readonly task: string;
  readonly what: string;
  readonly metric: string;
  readonly value: string;
  readonly source: string;
};

/**
 * What Wang & Gupta (ICCV 2015) say of their own networks, as their abstract states it. Only numbers that were checked against a
 * text stand here; those of single networks and of surface normals were not.
 */
const paperNumbers: readonly PublishedNumber[] = [
  {
    task: 'detection',
    what: 'ensemble of networks trained on 100 000 unlabelled videos, fine-tuned on VOC 2012, no box regression',
    metric: 'mAP, VOC 2012 test, %',
    value: '52',
    source: 'abstract of arXiv 1505.00687',
  },
  {
    task: 'detection',
    what: 'its counterpart: ensemble of networks trained on ImageNet with labels',
    metric: 'mAP, VOC 2012 test, %',
    value: '54.4',
    source: 'abstract of arXiv 1505.00687',
  },
];

/** Those of tasks that a run has results of, too: without any there is nothing that they could be held against. */
export const paperNumbersFor = (results: readonly { readonly task: string }[]): readonly PublishedNumber[] =>
  paperNumbers.filter((number) => results.some(({ task }) => task === number.task));

/** Why the paper's numbers stand apart from those of a run. */
export const notComparable =
  'Not comparable in scale with what a run measures: 100 000 videos, another network, all of VOC 2012 to fine-tune and test on, several networks averaged.';
