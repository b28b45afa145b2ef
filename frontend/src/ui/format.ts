// Numbers and names as people read them.
import type { Meta } from "../data/contract";

const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
export const NONE = "–";

/** Sign and name of an action; its name alone where it has no sign. */
export function actionLabel({ action_signs, action_names }: Pick<Meta, "action_signs" | "action_names">, action: number): string {
  const [sign, name] = [action_signs[action], action_names[action]];
  return name.includes(sign) ? name : `${sign} ${name}`;
}

type Maybe = number | null | undefined;

export function count(value: Maybe): string {
  return value == null ? NONE : COUNT.format(value);
}

export function compact(value: Maybe): string {
  return value == null ? NONE : COMPACT.format(value);
}

export function percent(share: Maybe, digits = 1): string {
  if (share == null) return NONE;
  if (share > 0 && share < 0.5 / 10 ** (digits + 2)) return `<${(1 / 10 ** digits).toFixed(digits)}%`;
  return `${(100 * share).toFixed(digits).replace("-", "−")}%`;
}

export function decimal(value: Maybe, digits = 2): string {
  return value == null ? NONE : value.toFixed(digits).replace("-", "−");
}

export function signed(value: Maybe, digits = 2): string {
  return value == null ? NONE : `${value < 0 ? "" : "+"}${decimal(value, digits)}`;
}

/** A number with as many decimals as it needs: 10, 0.5, −3.25. */
export function short(value: Maybe): string {
  return value == null ? NONE : String(Number(value.toPrecision(4))).replace("-", "−");
}

/** A difference of two shares: percentage points, which are no percent of anything. */
export function points(difference: Maybe, digits = 0): string {
  return difference == null ? NONE : `${signed(100 * difference, digits)} pts`;
}

/** What rests on fewer episodes than this is said to. */
const FEW_EPISODES = 10;

/** On how few episodes a comparison rests; null where they are enough. */
export function fewEpisodes(sides: readonly (readonly [number: number, where: string])[]): string | null {
  const few = sides.filter(([number]) => number < FEW_EPISODES);
  return few.length ? `only ${few.map(([number, where]) => `${plural(number, "episode")} ${where}`).join(", ")}` : null;
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}
