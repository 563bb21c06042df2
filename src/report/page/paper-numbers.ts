/** A number that somebody else published. */
export type PublishedNumber = {
  readonly task: string;
  readonly what: string;
  readonly metric: string;
  readonly value: string;
  readonly source: string;
};

/**
 * What Wang & Gupta (ICCV 2015) say of their own networks, as their abstract states it: other data (100 000 web videos), another
 * trunk, another protocol. Never mixed with what a run measured. Only numbers that were checked against a text stand here.
 */
export const paperNumbers: readonly PublishedNumber[] = [
  {
    task: 'detection',
    what: 'ensemble of networks trained on 100 000 unlabelled videos, fine-tuned on VOC 2012; no bounding-box regression',
    metric: 'mAP, VOC 2012 test, %',
    value: '52',
    source: 'abstract of arXiv 1505.00687',
  },
  {
    task: 'detection',
    what: 'its counterpart: an ensemble of networks pre-trained on ImageNet with labels',
    metric: 'mAP, VOC 2012 test, %',
    value: '54.4',
    source: 'abstract of arXiv 1505.00687',
  },
];
