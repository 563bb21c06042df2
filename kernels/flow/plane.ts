/** Pixels around a plane: as far as a window reaches that has left the picture. */
export const PAD: i32 = 16;

/** Fills the border of a plane by mirroring about its edge pixels: 2 1 0 1 2 … */
export function mirrorBorder(plane: usize, stride: usize, width: i32, height: i32): void {
  for (let y = 0; y < height; y++) {
    const row = plane + <usize>y * stride;
    for (let i = 1; i <= PAD; i++) {
      store<i16>(row - <usize>(2 * i), load<i16>(row + <usize>(2 * mirrored(-i, width))));
      const beyond = width - 1 + i;
      store<i16>(row + <usize>(2 * beyond), load<i16>(row + <usize>(2 * mirrored(beyond, width))));
    }
  }
  const left = plane - <usize>(2 * PAD);
  const bytes = <usize>(2 * (width + 2 * PAD));
  for (let i = 1; i <= PAD; i++) {
    memory.copy(left - <usize>i * stride, left + <usize>mirrored(-i, height) * stride, bytes);
    const beyond = height - 1 + i;
    memory.copy(left + <usize>beyond * stride, left + <usize>mirrored(beyond, height) * stride, bytes);
  }
}

function mirrored(at: i32, length: i32): i32 {
  if (length == 1) return 0;
  while (at < 0 || at >= length) at = at < 0 ? -at : 2 * (length - 1) - at;
  return at;
}
