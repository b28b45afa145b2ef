// The mean of several pictures, computed in the page: for an exported one, of the frames that it holds.

/** The mean picture, each scaled to the same height and width; null if there is none. */
export async function meanOf(pictures: readonly Blob[], [height, width]: readonly [number, number]): Promise<Blob | null> {
  if (!pictures.length) return null;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  const sums = new Float64Array(4 * width * height);
  for (const picture of pictures) {
    const bitmap = await createImageBitmap(picture);
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    context.getImageData(0, 0, width, height).data.forEach((value, at) => (sums[at] += value));
  }
  const mean = context.createImageData(width, height);
  mean.data.set(sums.map((value) => Math.round(value / pictures.length)));
  context.putImageData(mean, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
