// The card of the state that is pointed at.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../app";
import type { Recording } from "../data/recording";
import { useStore } from "../data/store";
import type { MapView } from "../map/map";
import { count, decimal, percent } from "./format";
import { ClusterName, paint } from "./parts";

const WIDTH = 196;
const AWAY = 18;

export function HoverCard({ map }: { map: MapView }): JSX.Element | null {
  const app = useApp();
  const { recording } = map;
  const { rec, index, rested } = useStore(app.hover, (hover) => hover);
  const own = rec === recording.id && index >= 0;
  const twin = own || rec === null || index < 0 ? -1 : app.twin(rec, app.recording(rec).rowOf(index), recording);
  const point = own ? index : twin;
  const ring = useRef<HTMLDivElement>(null);
  const pixel = point >= 0 ? map.pixelOf(point) : null;
  if (!pixel) return null;
  const [x, y] = pixel;
  const right = x + AWAY + WIDTH < map.camera.width;
  const height = 300;
  const top = Math.min(Math.max(y - 90, 8), Math.max(map.camera.height - height - 8, 8));
  return (
    <>
      <div ref={ring} class="ring" data-row={recording.rowOf(point)} style={{ transform: `translate(${x}px, ${y}px)` }} />
      {rested && own && (
        <div class="card" role="status" style={{ transform: `translate(${right ? x + AWAY : x - AWAY - WIDTH}px, ${top}px)` }}>
          <CardFrame recording={recording} row={recording.rowOf(index)} />
          <Facts recording={recording} index={index} />
        </div>
      )}
    </>
  );
}

function CardFrame({ recording, row }: { recording: Recording; row: number }): JSX.Element {
  const app = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let current = true;
    const show = (bitmap: ImageBitmap | null): void => {
      if (!current || !canvas.current) return;
      paint(canvas.current, bitmap);
      canvas.current.dataset.row = String(row);
      performance.mark("card-frame");
    };
    app.frames.get(recording.id)?.get(row).then(show, () => show(null));
    return () => {
      current = false;
    };
  }, [recording, row]);
  return <canvas ref={canvas} class="picture" width={recording.meta.picture_size} height={recording.meta.picture_size} role="img" aria-label="what the game showed" />;
}

/** What columns that have come say of a point. */
function Facts({ recording, index }: { recording: Recording; index: number }): JSX.Element {
  const { meta, episodes } = recording;
  const at = (name: string): number | undefined => recording.get(name)?.[index];
  const row = recording.rowOf(index);
  const episode = recording.episodeOf(row);
  const [cluster, action, value, step, unsure] = [at("cluster"), at("action"), at("value"), at("step"), at("uncertainty")];
  const success = episodes?.success[episode];
  return (
    <div class="facts">
      {cluster !== undefined && (
        <div class="first">
          <ClusterName recording={recording} cluster={cluster} />
          {unsure !== undefined && <span class="faint" title="uncertainty: 0% in the middle of a cluster's cell">{percent(unsure / 255, 0)} unsure</span>}
        </div>
      )}
      <dl>
        <dt>action</dt>
        <dd>{action === undefined ? "…" : <><b class="sign">{meta.action_signs[action]}</b> {meta.action_signs[action] === meta.action_names[action] ? "" : meta.action_names[action]}</>}</dd>
        <dt>value</dt>
        <dd>{value === undefined ? "…" : decimal(recording.decode("value", value))}</dd>
        <dt>step</dt>
        <dd>{step === undefined ? "…" : count(step)}{episodes && <span class="faint"> of {count(episodes.length[episode])}</span>}</dd>
        {episodes && <><dt>episode</dt><dd>{episode}{success !== undefined && <span class="faint"> {success === null ? "not ended" : success ? "succeeds" : "fails"}</span>}</dd></>}
        {episodes && <><dt>level</dt><dd>{episodes.level_seed[episode]}</dd></>}
      </dl>
    </div>
  );
}
