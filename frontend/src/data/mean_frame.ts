// The mean of several pictures, computed in the page: for an exported one, of the frames that it holds.

/** The mean picture, each scaled to a square of `size`; null if there is none. */
export async function meanOf(pictures: readonly Blob[], size: number): Promise<Blob | null> {
  if (!pictures.length) return null;
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  const sums = new Float64Array(4 * size * size);
  for (const picture of pictures) {
    const bitmap = await createImageBitmap(picture);
    context.drawImage(bitmap, 0, 0, size, size);
    bitmap.close();
    context.getImageData(0, 0, size, size).data.forEach((value, at) => (sums[at] += value));
  }
  const mean = context.createImageData(size, size);
  mean.data.set(sums.map((value) => Math.round(value / pictures.length)));
  context.putImageData(mean, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
