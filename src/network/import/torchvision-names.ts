/** How arrays of a torchvision network are called here, and which have no counterpart. */
export type NameTable = {
  /** Our name of an array by its name there; undefined where it has none. */
  readonly ours: (theirs: string) => string | undefined;
  /** Arrays there that may be left out, with the reason: their shape or their part in the network is another. */
  readonly leftOut: Readonly<Record<string, string>>;
  /** Our layer that is drawn at random where nothing there fits it: that of the embedding. */
  readonly drawn?: string;
};

const classifier = 'the classifier';
const wider = 'fc7, of 4096 where ours is of 1024';

const both = (layer: string, reason: string): Record<string, string> => ({
  [`${layer}.weight`]: reason,
  [`${layer}.bias`]: reason,
});

/** Dense layers of AlexNet and VGG by torchvision's numbers, which count dropout. */
const renumbered =
  (dense: Readonly<Record<string, string>>): NameTable['ours'] =>
  (theirs) => {
    const [part, number, array] = theirs.split('.');
    if (part !== 'classifier') return theirs;
    const layer = dense[number ?? ''];
    return layer === undefined ? undefined : `${layer}.${array}`;
  };

const resnet: NameTable = { ours: (theirs) => theirs, leftOut: both('fc', classifier), drawn: 'fc' };

/**
 * Networks of torchvision by our names of the architectures. The first dense layer of AlexNet and VGG-16 is our `fc`. A residual
 * network's classifier stands where our embedding does.
 */
export const torchvisionNames: Readonly<Record<string, NameTable>> = {
  alexnet: {
    ours: renumbered({ 1: 'fc.0', 4: 'fc.2' }),
    leftOut: { ...both('classifier.4', wider), ...both('classifier.6', classifier) },
    drawn: 'fc.2',
  },
  vgg16: {
    ours: renumbered({ 0: 'fc.0', 3: 'fc.2' }),
    leftOut: { ...both('classifier.3', wider), ...both('classifier.6', classifier) },
    drawn: 'fc.2',
  },
  resnet18: resnet,
  'resnet18-cifar': resnet,
  resnet50: resnet,
  'resnet50-cifar': resnet,
};

/** Names as we have them: networks that torchvision does not have, and files of our own that went through PyTorch. */
export const ownNames: NameTable = { ours: (theirs) => theirs, leftOut: {} };
