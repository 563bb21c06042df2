// The inner loops of pyramidal Lucas-Kanade flow, in 16-bit integers, eight at a time. A level of a pyramid is three planes of int16:
// luma in 1/32 of a level, and its two Scharr gradients, 32 times the slope. Each has PAD pixels more on every side; the address of a
// plane is that of the pixel (0, 0).

export { loadLuma, halveLuma } from './flow/pyramid';
export { gradientsOf } from './flow/gradients';
export { followPoints } from './flow/lucas-kanade';
