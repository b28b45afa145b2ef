// Intervals of shares that the page counts itself.

/** Of the standard normal distribution, for 95%. */
const Z = 1.959963984540054;

/** Wilson's score interval (1927) of a share of `number` independent cases; null if there are none. */
export function wilson(share: number, number: number): [low: number, high: number] | null {
  if (number <= 0) return null;
  const by = 1 + Z ** 2 / number;
  const middle = (share + Z ** 2 / (2 * number)) / by;
  const half = (Z * Math.sqrt((share * (1 - share)) / number + Z ** 2 / (4 * number ** 2))) / by;
  return [Math.max(middle - half, 0), Math.min(middle + half, 1)];
}
