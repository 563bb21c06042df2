// The inner loops of rendering a view, four pixels at a time. A picture of n x n px lies as three planes of float32, red, green and
// blue, one after the other; the rows of a plane are `row` bytes long, n values and as many more as make it a multiple of four.
// What lies in those is computed along and never looked at; only for mean greys it is 0 until a contrast has been changed.

export { resample } from './render/resample';
export { meanGrey, scale, saturate, turnHue, turnGrey, solarize } from './render/colours';
export { blur } from './render/blur';
export { normalise } from './render/normalise';
