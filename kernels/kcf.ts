// The inner loops of the correlation tracker, four values at a time. A patch is float32 `[height, width]`; what a window looks like lies as
// real and imaginary parts `[rows, columns, 16]`, its 32 channels in two halves; a plane of a value a cell and window is
// `[rows, columns, 4]`, so that four windows are correlated at once.

export { samplePatch } from './kcf/sample';
export { voteOrientations, normaliseCells } from './kcf/hog';
export { transform } from './kcf/fourier';
export { autoSpectrum, crossSpectrum, gaussianOf, respond, learnCoefficients, blend, energyOf } from './kcf/correlate';
