// What every frame is looked at by before anything else is: sums over a grid of cells, and luma at half the size. Planes are bytes,
// `[height, width]`; up to 31 bytes behind the last are read, and not used.

export { sumCells } from './luma/cells';
export { halve } from './luma/halve';
