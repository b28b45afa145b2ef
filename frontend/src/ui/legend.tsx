// What the colours of a map mean. Clusters can be shown alone or hidden here too.
import type { JSX } from "preact";
import { useApp } from "../app";
import type { Recording } from "../data/recording";
import { useStore } from "../data/store";
import { colorize, colorTitle } from "../map/colors";
import { soloed } from "../panels/visible";
import { Button, ClusterName } from "./parts";
import { ScaleLegend } from "./scale_legend";

const MOST_CLUSTERS = 16;

export function LegendBox({ recording }: { recording: Recording }): JSX.Element | null {
  const app = useApp();
  const color = useStore(app.view, (view) => view.color);
  const solo = useStore(app.view, (view) => view.solo);
  const hide = useStore(app.view, (view) => view.hide);
  const { dark } = useStore(app.look, (look) => look);
  const scales = useStore(app.view, (view) => view.scales);
  const grouped = useStore(app.view, (view) => view.grouped);
  const { legend } = colorize(recording, { color, scales, grouped }, dark);
  const title = colorTitle([recording], color);
  if (legend.kind === "clusters") {
    if (recording.meta.num_codes > MOST_CLUSTERS) return <div />;
    return (
      <div class="legend clusters" role="group" aria-label="clusters: click to show one alone">
        {recording.meta.colors.map((_, cluster) => {
          const slot = recording.slots[cluster];
          const off = hide.includes(slot) || (solo.length > 0 && !solo.includes(slot));
          return (
            <button
              type="button" class={off ? "off" : ""} aria-pressed={solo.includes(slot)}
              title="Click: show alone. Shift and click: with others."
              onClick={(event) => app.view.set({ solo: soloed(solo, slot, event.shiftKey), hide: hide.filter((other) => other !== slot) })}
            >
              <ClusterName recording={recording} cluster={cluster} />
            </button>
          );
        })}
      </div>
    );
  }
  if (legend.kind === "scale") return <ScaleLegend legend={legend} title={title} color={color} key={color} />;
  return (
    <div class="legend">
      {legend.items.length > 0 && <span class="faint">{title}</span>}
      {legend.items.map((item) => (
        <span>
          <i style={{ background: item.color }} />
          {item.label}
        </span>
      ))}
      {legend.grouped !== undefined && (
        <Button label="Show actions that do the same as one" class="small" pressed={legend.grouped} onClick={() => app.view.set({ grouped: !legend.grouped })}>grouped</Button>
      )}
    </div>
  );
}
