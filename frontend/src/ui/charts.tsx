// Small charts: distributions of one thing against those of another, differences with their intervals.
import type { JSX } from "preact";
import type { Difference, Meta } from "../data/contract";
import { count, decimal, fewEpisodes, NONE, percent, plural, points, short, signed } from "./format";

/** A histogram in a colour, and that of all states as a line over it. */
export function Histogram({ title, shares, against, low, high, color }: {
  title: string;
  shares: readonly number[];
  against?: readonly number[];
  low: string;
  high: string;
  color?: string;
}): JSX.Element {
  const most = Math.max(...shares, ...(against ?? []), 1e-9);
  const width = 100 / shares.length;
  const y = (share: number): number => 34 - (share / most) * 33;
  const steps = against?.map((share, at) => `${at ? "L" : "M"}${at * width} ${y(share)}H${(at + 1) * width}`).join("");
  return (
    <figure class="histogram">
      <figcaption>{title}</figcaption>
      <svg viewBox="0 0 100 34" preserveAspectRatio="none" role="img" aria-label={`distribution of ${title}`}>
        {shares.map((share, at) => (
          <rect x={at * width} width={width * 0.9} y={y(share)} height={34 - y(share)} style={{ fill: color ?? "var(--accent)" }} />
        ))}
        {steps && <path d={steps} vector-effect="non-scaling-stroke" />}
      </svg>
      <div class="ends">
        <span>{low}</span>
        <span>{high}</span>
      </div>
    </figure>
  );
}

const MOST_ACTIONS = 6;

/** The most frequent actions, with those of others as a tick. */
export function Actions({ meta, shares, against, low, high, color }: {
  meta: Meta;
  shares: readonly number[];
  against: readonly number[];
  /** 95% intervals of the differences, where they are known. */
  low?: readonly (number | null)[];
  high?: readonly (number | null)[];
  color?: string;
}): JSX.Element {
  const interval = (action: number): string => {
    const [from, to] = [low?.[action] ?? null, high?.[action] ?? null];
    return from === null || to === null ? "" : `; 95% interval of the difference: ${points(from, 1)} to ${points(to, 1)}`;
  };
  const matter = shares.map((_, action) => action).sort((one, other) => shares[other] + against[other] * 0.5 - shares[one] - against[one] * 0.5);
  const shown = matter.slice(0, MOST_ACTIONS).filter((action) => shares[action] > 0 || against[action] > 0).sort((one, other) => shares[other] - shares[one]);
  const most = Math.max(...shown.flatMap((action) => [shares[action], against[action]]), 1e-9);
  return (
    <figure class="of-actions">
    <figcaption>action, share of states</figcaption>
    <ol class="actions">
      {shown.map((action) => (
        <li title={`${meta.action_names[action]}: ${percent(shares[action])}, otherwise ${percent(against[action])}${interval(action)}`}>
          <b class="sign">{meta.action_signs[action]}</b>
          <span class="name">{meta.action_names[action].includes(meta.action_signs[action]) ? "" : meta.action_names[action]}</span>
          <span class="track">
            <i style={{ width: `${(100 * shares[action]) / most}%`, background: color ?? "var(--accent)" }} />
            <em style={{ left: `${(100 * against[action]) / most}%` }} />
          </span>
          <span class="number">{percent(shares[action], 0)}</span>
        </li>
      ))}
    </ol>
    </figure>
  );
}

/** A difference with its interval, on a scale around nothing. */
export function Interval({ title, of, share = false, tip }: {
  title: string;
  of: Difference;
  share?: boolean;
  tip?: string;
}): JSX.Element {
  const say = (value: number | null): string => (share ? percent(value, 0) : value === null ? NONE : short(Number(value.toPrecision(3))));
  const { difference, low, high, effect, effect_name, note, num_episodes, num_episodes_rest } = of;
  const behind = `${plural(num_episodes, "episode")} inside, ${plural(num_episodes_rest, "episode")} of the rest`;
  const end = Math.max(Math.abs(low ?? 0), Math.abs(high ?? 0), Math.abs(difference ?? 0), 1e-9) * 1.15;
  const at = (value: number): string => `${50 + (50 * Math.max(-end, Math.min(end, value))) / end}%`;
  if (of.inside === null && of.rest === null && note) {
    return (
      <tr>
        <th scope="row" title={tip}>{title}</th>
        <td colSpan={6} class="faint why">{note}</td>
      </tr>
    );
  }
  const sure = low !== null && high !== null && (low > 0 || high < 0);
  const apart = (value: number | null): string => (share ? points(value) : signed(value, 2));
  const few = fewEpisodes([[num_episodes, "inside"], [num_episodes_rest, "in the rest"]]);
  return (
    <>
    <tr class={`${sure ? "sure" : ""} ${few ? "has-few" : ""}`} title={low === null || high === null ? (note ?? "") : `95% interval of the difference: ${apart(low)} to ${apart(high)}; ${behind}`}>
      <th scope="row" title={tip}>{title}</th>
      <td>{say(of.inside)}</td>
      <td>{say(of.rest)}</td>
      <td class="interval">
        <span>
          <em />
          {low !== null && high !== null && <i style={{ left: at(low), right: `calc(100% - ${at(high)})` }} />}
          {difference !== null && <b style={{ left: at(difference) }} />}
        </span>
      </td>
      <td>
        {apart(difference)}
      </td>
      <td class="faint" title={`effect size, ${effect_name}`}>{effect === null ? "" : `${effect_name.slice(-1)} ${decimal(effect)}`}</td>
      <td class="faint episodes" title={behind}>{count(num_episodes)} / {count(num_episodes_rest)}</td>
    </tr>
    {few && <tr class="few"><td colSpan={7}>{few}{low === null && note ? `: ${note}` : ""}</td></tr>}
    </>
  );
}
