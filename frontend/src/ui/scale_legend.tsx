// The legend of a scale of colours, whose limits can be set in it.
import type { JSX } from "preact";
import { useApp } from "../app";
import type { ColorName, ScaleChoice } from "../data/view";
import { readLimit } from "../map/color_scale";
import type { Legend } from "../map/colors";
import { Button } from "./parts";

export function ScaleLegend({ legend, title, color }: { legend: Extract<Legend, { kind: "scale" }>; title: string; color: ColorName }): JSX.Element {
  const app = useApp();
  const { range, stops } = legend;
  const set = (patch: Partial<ScaleChoice>): void => {
    const { scales } = app.view.get();
    const { [color]: before = { low: null, high: null, log: false }, ...others } = scales;
    const now = { ...before, ...patch };
    const isUsual = now.low === null && now.high === null && !now.log;
    app.view.set({ scales: isUsual ? others : { ...others, [color]: now } });
  };
  /** An empty limit is the usual one; one that is no number, or beyond the other limit, changes nothing. */
  const write = (end: "low" | "high", field: HTMLInputElement): void => {
    const text = field.value;
    const limit = readLimit(text, range.isShare);
    const fits = limit !== null && (end === "low" ? limit < range.high : limit > range.low);
    if (text !== legend[end] && (fits || !text.trim())) set({ [end]: text.trim() ? limit : null });
    else field.value = legend[end];
  };
  const limit = (end: "low" | "high", name: string): JSX.Element => (
    <input
      class="limit" value={legend[end]} size={Math.max(legend[end].length, 2)} aria-label={`${name} limit of the scale of ${title}`} autoComplete="off" spellcheck={false} key={legend[end]}
      title={`${name} limit of the scale: write another; empty is the usual one`} onFocus={(event) => event.currentTarget.select()} onBlur={(event) => write(end, event.currentTarget)}
      onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
    />
  );
  return (
    <div class="legend scale" role="group" aria-label={`${title} from ${legend.low} to ${legend.high}`}>
      <span>{title}</span>
      {limit("low", "lower")}
      <i style={{ background: `linear-gradient(90deg, ${stops.join(",")})` }} />
      {limit("high", "upper")}
      {range.canLog && <Button label="Scale by the logarithm" class="small" pressed={range.log} onClick={() => set({ log: !range.log })}>log</Button>}
      {range.isSet && <Button label="The usual scale" class="small" onClick={() => set({ low: null, high: null, log: false })}>reset</Button>}
    </div>
  );
}
