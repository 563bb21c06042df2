import type { PipelineOption } from '../../src/pipeline/pipeline.js';

/** What features are tried on beside classes, and weights from elsewhere: options of every pipeline. */
export const targetOptions: readonly PipelineOption[] = [
  { flag: '--detection', value: 'DIR[,DIR]', help: 'detection targets: folders in the layout of Pascal VOC or COCO' },
  { flag: '--normals', value: 'DIR[,DIR]', help: 'surface-normal targets: folders of RGB-D frames, or of rooms' },
  { flag: '--cameras', value: 'FILE.json', help: 'cameras of RGB-D folders that bring none, by folder name' },
  {
    flag: '--weights',
    value: 'DIR|FILE.onnx[,…]',
    help: 'weights from elsewhere, to try beside: folders with model.json, or ONNX encoders (docs/weights.md)',
  },
];
