// Two states side by side, and what differs between their pictures.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import type { Recording } from "../data/recording";
import { count, short } from "../ui/format";
import { asFrame, ClusterName, Frame } from "../ui/parts";

export function Pair({ recording, row, other, names, brief = false }: { recording: Recording; row: number; other: number | null; names: readonly [string, string]; brief?: boolean }): JSX.Element {
  const { has_frames, observation_names } = recording.meta;
  if (!has_frames) return <Numbers recording={recording} row={row} other={other} names={names} known={observation_names.length > 0} />;
  return (
    <div class="pair">
      <State recording={recording} row={row} name={names[0]} brief={brief} />
      {other !== null && <State recording={recording} row={other} name={names[1]} brief={brief} />}
      {other !== null && <Difference recording={recording} row={row} other={other} brief={brief} />}
    </div>
  );
}

function State({ recording, row, name, brief }: { recording: Recording; row: number; name: string; brief: boolean }): JSX.Element {
  return (
    <figure>
      <Frame recording={recording} row={row} label={`${name}, ${whereSaid(recording, row)}`} />
      <Caption recording={recording} row={row} brief={brief} />
    </figure>
  );
}

function Caption({ recording, row, brief = false }: { recording: Recording; row: number; brief?: boolean }): JSX.Element {
  const cluster = recording.get("cluster")?.[recording.indexOf(row)];
  return <figcaption>{cluster !== undefined && <ClusterName recording={recording} cluster={cluster} />} <span title={whereSaid(recording, row)}>{brief ? placeSaid(recording, row) : whereSaid(recording, row)}</span></figcaption>;
}

/** "episode 5, step 12". */
export function whereSaid(recording: Recording, row: number): string {
  const step = recording.get("step")?.[recording.indexOf(row)];
  const episode = recording.episodeOf(row);
  return `${episode < 0 ? "" : `episode ${episode}, `}${step === undefined ? `state ${count(row)}` : `step ${count(step)}`}`;
}

/** The same, where there is little room: "e5 · 12". */
export function placeSaid(recording: Recording, row: number): string {
  const index = recording.indexOf(row);
  if (index < 0) return `state ${count(row)}`; // not on the map, so that its step is not known here
  const step = recording.get("step")?.[index];
  return `e${Math.max(recording.episodeOf(row), 0)} · ${step === undefined ? "…" : count(step)}`;
}

/** The absolute difference of two pictures, brightened so that the largest one is white. */
function Difference({ recording, row, other, brief }: { recording: Recording; row: number; other: number; brief: boolean }): JSX.Element {
  const app = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [said, setSaid] = useState("difference");
  useEffect(() => {
    let current = true;
    const frames = app.frames.get(recording.id);
    const show = async (): Promise<void> => {
      const found = await Promise.all([frames?.get(row), frames?.get(other)]);
      if (!current || !canvas.current) return;
      const [one, two] = found;
      const largest = one && two ? paintDifference(canvas.current, one, two) : null;
      canvas.current.dataset.state = largest === null ? "missing" : "shown";
      canvas.current.dataset.largest = String(largest);
      setSaid(largest === null ? "no difference: a frame is missing" : largest === 0 ? "no pixel differs" : brief ? `white: ${largest}` : `difference; white is ${largest} of 255`);
    };
    show().catch(() => current && setSaid("no difference: a frame is missing"));
    return () => {
      current = false;
    };
  }, [recording, row, other]);
  return (
    <figure>
      <canvas ref={canvas} class="picture difference" {...asFrame(recording)} role="img" aria-label="absolute difference of the two pictures" />
      <figcaption>{said}</figcaption>
    </figure>
  );
}

/** Returns the largest difference of a channel, 0 to 255. */
function paintDifference(canvas: HTMLCanvasElement, one: ImageBitmap, two: ImageBitmap): number {
  const { width, height } = one;
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  const [a, b] = [one, two].map((bitmap) => {
    context.drawImage(bitmap, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  });
  const largest = differ(a.data, b.data);
  context.putImageData(a, 0, 0);
  return largest;
}

/** Put the absolute difference of two RGBA pictures into the first, scaled so that its largest channel is 255; returns the largest. */
export function differ(one: Uint8ClampedArray, two: Uint8ClampedArray): number {
  let largest = 0;
  for (let at = 0; at < one.length; at++) {
    if (at % 4 === 3) continue;
    one[at] = Math.abs(one[at] - two[at]);
    if (one[at] > largest) largest = one[at];
  }
  const scale = largest ? 255 / largest : 0;
  for (let at = 0; at < one.length; at++) one[at] = at % 4 === 3 ? 255 : one[at] * scale;
  return largest;
}

const MOST_NUMBERS = 5;

/** Where there are no pictures: the numbers of both observations, those first that differ most. */
function Numbers({ recording, row, other, names, known }: { recording: Recording; row: number; other: number | null; names: readonly [string, string]; known: boolean }): JSX.Element {
  const app = useApp();
  const [numbers, setNumbers] = useState<((number | null)[] | null)[]>([]);
  useEffect(() => {
    let current = true;
    setNumbers([]);
    if (known) app.source.observationsOf(recording.id, other === null ? [row] : [row, other]).then((found) => current && setNumbers(found), () => undefined);
    return () => {
      current = false;
    };
  }, [recording, row, other]);
  const [one, two] = numbers;
  const apart = (at: number): number => Math.abs((two?.[at] ?? NaN) - (one?.[at] ?? NaN));
  const order = recording.meta.observation_names.map((_, at) => at).sort((a, b) => (two ? apart(b) - apart(a) || a - b : a - b)).slice(0, MOST_NUMBERS);
  const shown = (value: number | null | undefined): string => short(value == null ? null : Number(value.toPrecision(3)));
  return (
    <div class="pair words">
      <p><Caption recording={recording} row={row} />{other !== null && <Caption recording={recording} row={other} />}</p>
      {one && (
        <table class="differences plain">
          <thead><tr><th scope="col">the agent sees</th><th scope="col">{names[0]}</th>{two && <><th scope="col">{names[1]}</th><th scope="col">difference</th></>}</tr></thead>
          <tbody>
            {order.map((at) => <tr key={at}><th scope="row">{recording.meta.observation_names[at]}</th><td>{shown(one[at])}</td>{two && <><td>{shown(two[at])}</td><td>{shown(apart(at))}</td></>}</tr>)}
          </tbody>
        </table>
      )}
    </div>
  );
}
