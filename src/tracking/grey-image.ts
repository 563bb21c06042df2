/** A luma image, rows from the top, `[height, width]`. */
export type GreyImage = { readonly width: number; readonly height: number; readonly data: Uint8Array };
