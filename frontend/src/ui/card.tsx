// The card of the state that is pointed at.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../app";
import type { Meta } from "../data/contract";
import { partColumn, type Recording } from "../data/recording";
import { useStore } from "../data/store";
import { tagsOf } from "../data/tags";
import type { MapView } from "../map/map";
import { count, decimal, percent } from "./format";
import { asFrame, ClusterName, paint } from "./parts";

const WIDTH = 196;
const AWAY = 18;
/** Parts of an action on the card; the player shows all. */
const MOST_PARTS = 4;
/** Of the facts with the card's edges, without parts of the action, and of one of these. */
const [FACTS_HEIGHT, FACT_HEIGHT] = [150, 20];
/** As in map.css. */
const MOST_FRAME_HEIGHT = 260;

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
  const { has_frames, frame_shape, action_parts } = recording.meta;
  const height = FACTS_HEIGHT + FACT_HEIGHT * Math.min(action_parts.length, MOST_PARTS) + (has_frames ? Math.min((WIDTH * frame_shape[0]) / frame_shape[1], MOST_FRAME_HEIGHT) : 0);
  const top = Math.min(Math.max(y - 90, 8), Math.max(map.camera.height - height - 8, 8));
  return (
    <>
      <div ref={ring} class="ring" data-row={recording.rowOf(point)} style={{ transform: `translate(${x}px, ${y}px)` }} />
      {rested && own && (
        <div class="card" role="status" style={{ transform: `translate(${right ? x + AWAY : x - AWAY - WIDTH}px, ${top}px)` }}>
          {has_frames && <CardFrame recording={recording} row={recording.rowOf(index)} />}
          <Facts recording={recording} index={index} />
          <p class="card-keys faint"><kbd>S</kbd> states near to this one</p>
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
  return <canvas ref={canvas} class="picture" {...asFrame(recording)} role="img" aria-label="what was to be seen" />;
}

function ActionSaid({ meta, action }: { meta: Meta; action: number }): JSX.Element {
  const [sign, name] = [meta.action_signs[action], meta.action_names[action]];
  return name.includes(sign) ? <>{name}</> : <><b class="sign">{sign}</b> {name}</>;
}

/** What columns that have come say of a point. */
function Facts({ recording, index }: { recording: Recording; index: number }): JSX.Element {
  const { meta, episodes } = recording;
  const at = (name: string): number | undefined => recording.get(name)?.[index];
  const row = recording.rowOf(index);
  const episode = recording.episodeOf(row);
  const [cluster, action, value, step, unsure] = [at("cluster"), at("action"), at("value"), at("step"), at("uncertainty")];
  const tags = tagsOf(recording, index);
  const end = episodes?.end[episode];
  const success = meta.success_known ? episodes?.success[episode] : undefined;
  const said = end === null ? "not ended" : success == null ? "" : success ? "succeeds" : "fails";
  return (
    <div class="facts">
      {cluster !== undefined && (
        <div class="first">
          <ClusterName recording={recording} cluster={cluster} />
          {unsure !== undefined && <span class="faint" title="uncertainty: 0% in the middle of a cluster's cell">uncertainty {percent(unsure / 255, 0)}</span>}
        </div>
      )}
      <dl>
        {meta.num_actions > 0 && <><dt>action</dt><dd>{action === undefined ? "…" : <ActionSaid meta={meta} action={action} />}</dd></>}
        {meta.action_parts.slice(0, MOST_PARTS).map(({ name }, part) => {
          const raw = at(partColumn(part));
          return <><dt>{name}</dt><dd>{raw === undefined ? "…" : decimal(recording.decode(partColumn(part), raw))}</dd></>;
        })}
        {meta.value_known && <><dt>value</dt><dd>{value === undefined ? "…" : decimal(recording.decode("value", value))}</dd></>}
        <dt>step</dt>
        <dd>{step === undefined ? "…" : count(step)}{episodes && <span class="faint"> of {count(episodes.length[episode])}</span>}</dd>
        {episodes && <><dt>episode</dt><dd>{episode}{said && <span class="faint"> {said}</span>}</dd></>}
        {episodes?.level_seed && <><dt>{meta.level_word}</dt><dd>{episodes.level_seed[episode]}</dd></>}
        {tags.length > 0 && <><dt>{tags.length > 1 ? "tags" : "tag"}</dt><dd>{tags.join(", ")}</dd></>}
      </dl>
    </div>
  );
}
