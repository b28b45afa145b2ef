// A map in its place on the page: its layers, its tools, its legend and the card of what is pointed at.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { NO_LASSO, useApp } from "../app";
import type { Recording } from "../data/recording";
import { sentence, useMedia, useStore } from "../data/store";
import { MapView } from "../map/map";
import { listen } from "../map/pointer";
import { askInside } from "../panels/inside";
import { openMoves } from "../panels/lists";
import { HoverCard } from "./card";
import { count, percent } from "./format";
import { LegendBox } from "./legend";
import { Button, Icon } from "./parts";
import { PathLegend } from "./path_legend";

const NUDGE = 1.6;
/** As in base.css. */
const NARROW = "(max-width: 860px)";

export function MapPane({ recording, several }: { recording: Recording; several: boolean }): JSX.Element {
  const app = useApp();
  const host = useRef<HTMLDivElement>(null);
  const [under, points, over] = [useRef<HTMLCanvasElement>(null), useRef<HTMLCanvasElement>(null), useRef<HTMLCanvasElement>(null)];
  const names = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapView | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [life, setLife] = useState(0);
  const drawing = useStore(app.lasso, (lasso) => lasso.drawing);
  const wanted = useStore(app.view, (view) => view.plane);
  const progress = useStore(app.look, (look) => look.computing[wanted]);
  const narrow = useMedia(NARROW); // a small map has no room for a legend

  useEffect(() => {
    if (!host.current || !under.current || !points.current || !over.current || !names.current) return;
    let made: MapView;
    try {
      const layers = { under: under.current, points: points.current, over: over.current, names: names.current };
      made = new MapView(app, recording, host.current, layers);
    } catch (error) {
      return setProblem(sentence(error));
    }
    const end = listen(app, made, over.current, {
      state: (index) => {
        performance.mark("click");
        app.hover.set({ rec: null, index: -1, rested: false }); // what one wants to see now is in the player
        void app.openRow(recording.id, recording.rowOf(index)).then(() => document.getElementById("timeline")?.focus({ preventScroll: true }));
      },
      arrow: (from, to) => void openMoves(app, recording.id, from, to),
      lasso: (polygon) => {
        const plane = made.plane;
        if (!plane) return;
        app.view.set({ panel: "lasso", sel: null, rec: recording.id });
        void askInside(app, recording.id, { plane, polygon: [...polygon] });
      },
    });
    app.maps.set(recording.id, made);
    setMap(made);
    return () => {
      app.zooms[recording.id] = made.zoom;
      app.maps.delete(recording.id);
      end();
      made.destroy();
    };
  }, [recording, life]);

  // a graphics card that was reset gives its memory back empty: make the map anew
  const lost = (event: Event): void => event.preventDefault();
  const restored = (): void => setLife((before) => before + 1);
  const title = recording.meta.name ?? recording.meta.title;
  const said = several ? `${recording.id.toUpperCase()}, ${title}` : title;
  return (
    <div class="map-pane">
    <section class={`map ${drawing ? "drawing" : ""}`} ref={host} aria-label={`map of ${said}`} data-rec={recording.id}>
      <canvas class="layer" ref={under} key={`u${life}`} />
      <canvas
        class="layer points" ref={points} key={`p${life}`}
        {...{ onwebglcontextlost: lost, onwebglcontextrestored: restored }}
      />
      <canvas
        class="layer top" ref={over} key={`o${life}`} tabIndex={0} role="application"
        aria-label={`map of ${said}: ${count(recording.count)} states. Arrow keys point at states, Enter plays the episode, Shift with arrows moves the map, L draws a lasso.`}
      />
      <div class="names" ref={names} aria-hidden="true" />
      {several && <p class="map-title"><b>{recording.id === "a" ? "A" : "B"}</b> {title}</p>}
      {problem && <p class="map-problem" role="alert">{problem}</p>}
      {!recording.count && <p class="map-problem">This recording has no states.</p>}
      {!narrow && <PathLegend recording={recording} />}
      {map && <HoverCard map={map} />}
      {!drawing && progress !== undefined && (
        <p class="hint quiet" role="status">
          <span class="spinner" /> Computing {recording.plane(wanted)?.title ?? wanted}{progress > 0 ? `, ${percent(progress, 0)}` : "…"}
        </p>
      )}
      {drawing && <p class="hint" role="status"><Icon name="lasso" /> Draw around the states to compare. With keys: arrows move, Enter sets a corner, Enter again closes. Esc ends.</p>}
    </section>
    <div class="map-foot">
      <LegendBox recording={recording} />
      {narrow && <PathLegend recording={recording} />}
      <MapButtons recording={recording} map={map} />
    </div>
    </div>
  );
}

/** States from which on their density can tell more than each of them. */
const MANY = 5_000;

function MapButtons({ recording, map }: { recording: Recording; map: MapView | null }): JSX.Element {
  const app = useApp();
  const lasso = useStore(app.lasso, (state) => state);
  const dense = useStore(app.look, (look) => look.dense);
  const nudge = (factor: number): void => {
    if (map) map.fly(map.camera.zoomAt(map.camera.width / 2, map.camera.height / 2, factor));
  };
  const shown = recording.count < recording.meta.num_states ? `${count(recording.count)} of ${count(recording.meta.num_states)} states` : `${count(recording.count)} states`;
  return (
    <div class="map-buttons">
      <span class="faint">{shown}</span>
      {recording.count >= MANY && (
        <Button
          label={dense ? "Show each state" : "Show how many states lie where, with rare ones drawn over it"} keys="H" class="small" pressed={dense}
          onClick={() => app.view.set({ density: !dense })}
        >
          density
        </Button>
      )}
      {lasso.rec === recording.id && lasso.polygon.length > 0 && (
        <Button label="Let go of the lasso" keys="Esc" class="labelled" onClick={() => app.lasso.set(NO_LASSO)}>clear lasso</Button>
      )}
      <Button icon="lasso" label="Lasso: draw around states" keys="L, or Shift and drag" pressed={lasso.drawing} onClick={() => app.lasso.set({ drawing: !lasso.drawing })} />
      <span class="group">
        <Button icon="minus" label="Smaller" keys="−" onClick={() => nudge(1 / NUDGE)} />
        <Button icon="whole" label="Whole map" keys="W" onClick={() => map?.reset()} />
        <Button icon="plus" label="Larger" keys="+" onClick={() => nudge(NUDGE)} />
      </span>
    </div>
  );
}
