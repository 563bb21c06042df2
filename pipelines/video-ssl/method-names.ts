/** Names of all methods and controls of `video-ssl` that have a network, in the order of the tables. */
export const methodNames = ['random', 'shuffled', 'self', 'same-video', 'untracked', 'triplet', 'npid'] as const;
