// The cluster whose number is typed digit by digit, where there are more than ten.
import { soloed } from "../panels/visible";

/** Digits that follow each other within this time are one number. */
const TOGETHER_MS = 900;

export class TypedNumber {
  private text = "";
  private last = -Infinity;
  private before: readonly number[] = [];

  /** The clusters shown alone after a digit is pressed; null if there is no such cluster. */
  press(digit: string, now: number, count: number, solo: readonly number[], withOthers: boolean): number[] | null {
    const joined = now - this.last < TOGETHER_MS ? Number(this.text + digit) : NaN;
    const goesOn = joined < count && this.text !== "0";
    const cluster = goesOn ? joined : Number(digit);
    if (cluster >= count) {
      this.text = "";
      return null;
    }
    if (!goesOn) this.before = solo;
    [this.text, this.last] = [String(cluster), now];
    return soloed(this.before, cluster, withOthers);
  }
}
