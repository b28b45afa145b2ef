// Small pieces of which the panels are made.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../app";
import type { Recording } from "../data/recording";
import { useStore } from "../data/store";
import { clusterColor, clusterInk } from "../map/colors";

/** A cluster's number on its colour. */
export function Badge({ recording, cluster }: { recording: Recording; cluster: number }): JSX.Element {
  return (
    <b class="badge" style={{ background: clusterColor(recording, cluster), color: clusterInk(recording, cluster) }}>
      {cluster}
    </b>
  );
}

/** A cluster's number and, where it has one, its name. */
export function ClusterName({ recording, cluster }: { recording: Recording; cluster: number }): JSX.Element {
  const name = useStore(useApp().notesOf(recording.id).store, (state) => state.clusters[cluster]?.name ?? "");
  return (
    <span class="cluster-name">
      <Badge recording={recording} cluster={cluster} />
      {name && <span class="name">{name}</span>}
    </span>
  );
}

const ICONS = {
  play: "M5 3.2v9.6L13 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  back: "M11 3 5.500 8 11 13z",
  on: "M5 3l5.500 5L5 13z",
  changeBack: "M12 3 7 8l5 5zM4 3h1.600v10H4z",
  changeOn: "M4 3l5 5-5 5zM10.400 3H12v10h-1.600z",
  up: "M3 10.500 8 5l5 5.500z",
  down: "M3 5.500 8 11l5-5.500z",
  eye: "M8 3.500C4.700 3.500 2.300 5.700 1 8c1.300 2.300 3.700 4.500 7 4.500s5.700-2.200 7-4.500c-1.300-2.300-3.700-4.500-7-4.500zM8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
  solo: "M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zm0 1.500a5 5 0 1 1 0 10A5 5 0 0 1 8 3zm0 2.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z",
  lasso: "M8 2C4.400 2 1.500 3.900 1.500 6.400c0 1.500 1 2.800 2.700 3.600-.2.900-.1 1.800.4 2.500.5.800 1.300 1.300 2.300 1.500l.3-1.400c-1.200-.3-1.600-1.100-1.500-2.100.7.200 1.500.3 2.300.3 3.600 0 6.500-1.900 6.500-4.400S11.600 2 8 2zm0 1.400c2.900 0 5.100 1.400 5.100 3s-2.200 3-5.100 3-5.100-1.400-5.100-3 2.200-3 5.100-3z",
  plus: "M7.200 3h1.600v4.200H13v1.600H8.800V13H7.200V8.800H3V7.200h4.200z",
  minus: "M3 7.200h10v1.600H3z",
  whole: "M2 2h4.500v1.500h-3v3H2zM9.500 2H14v4.500h-1.500v-3h-3zM2 9.500h1.500v3h3V14H2zM12.500 9.500H14V14H9.500v-1.500h3z",
  close: "M4.100 3 8 6.900 11.900 3 13 4.100 9.100 8l3.900 3.900-1.100 1.100L8 9.100 4.100 13 3 11.900 6.900 8 3 4.100z",
  theme: "M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM8 3v10A5 5 0 0 1 8 3z",
  near: "M8 5.300a2.700 2.700 0 1 0 0 5.400 2.700 2.700 0 0 0 0-5.400zM3.200 2a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3zM12.200 1.600a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3zM2.600 10.600a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3zM12.800 11.200a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3z",
  save: "M7.300 1.500h1.400v6.800l2.300-2.300 1 1L8 11 4 7l1-1 2.300 2.300zM2.500 12.500h11V14h-11z",
} as const;
export type IconName = keyof typeof ICONS;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={ICONS[name]} fill-rule="evenodd" />
    </svg>
  );
}

interface ButtonProps {
  icon?: IconName;
  /** What it does, said to those who cannot see it and to those who point at it. */
  label: string;
  /** The key that does the same. */
  keys?: string;
  pressed?: boolean;
  disabled?: boolean;
  class?: string;
  onClick: (event: MouseEvent) => void;
  children?: ComponentChildren;
}

export function Button({ icon, label, keys, pressed, disabled, class: kind = "", onClick, children }: ButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class={`button ${children ? "" : "bare"} ${kind}`}
      title={keys ? `${label} (${keys})` : label}
      aria-label={children ? undefined : label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export interface Option<T> {
  value: T;
  label: ComponentChildren;
  title?: string;
  disabled?: boolean;
}

/** Options of which one is chosen: Tab leads to that one, arrows to the others. */
export function Options<T extends string>({ label, options, chosen, choose, class: kind = "segments" }: {
  label: string;
  options: readonly Option<T>[];
  chosen: T | null;
  choose: (value: T) => void;
  class?: string;
}): JSX.Element {
  const entry = options.find(({ value }) => value === chosen) ?? options.find(({ disabled }) => !disabled);
  return (
    <div class={kind} role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <button
          type="button" role="radio" key={option.value} aria-checked={option.value === chosen} tabIndex={option === entry ? 0 : -1}
          title={option.title} disabled={option.disabled} onClick={() => choose(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

/** A picture drawn on a canvas: from a file, or an image that is decoded already; nothing while there is none. */
export function Picture({ recording, load, depends, class: kind = "", label }: {
  recording: Recording;
  load: () => Promise<ImageBitmap | Blob | null>;
  depends: unknown[];
  class?: string;
  label: string;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let current = true;
    const show = async (): Promise<void> => {
      const found = await load();
      const bitmap = found instanceof Blob ? await createImageBitmap(found) : found;
      if (current && canvas.current) paint(canvas.current, bitmap);
    };
    show().catch(() => current && canvas.current && paint(canvas.current, null));
    return () => {
      current = false;
    };
  }, depends);
  const said = label ? { role: "img" as const, "aria-label": label } : { "aria-hidden": true }; // without one, the text beside it says it all
  return <canvas ref={canvas} class={`picture ${kind}`} {...said} {...asFrame(recording)} />;
}

/** Attributes of a canvas that is to show frames of a recording: their proportions, before there are any. */
export function asFrame({ meta: { frame_shape } }: Recording): { width: number; height: number; style: { aspectRatio: string } } {
  const [height, width] = frame_shape;
  return { width, height, style: { aspectRatio: `${width} / ${height}` } };
}

/** Put a picture on a canvas, pixel for pixel; without one, say so. */
export function paint(canvas: HTMLCanvasElement, bitmap: ImageBitmap | null): void {
  canvas.dataset.state = bitmap ? "shown" : "missing";
  if (!bitmap) return canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.style.aspectRatio = `${bitmap.width} / ${bitmap.height}`; // what the agent saw may be of another shape than pictures
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
}

/** The picture of a state. */
export function Frame({ recording, row, class: kind, label }: {
  recording: Recording;
  row: number;
  class?: string;
  label?: string;
}): JSX.Element | null {
  const frames = useApp().frames.get(recording.id);
  const load = async (): Promise<ImageBitmap | null> => (await frames?.get(row)) ?? null;
  if (!recording.meta.has_frames) return null;
  return <Picture recording={recording} load={load} depends={[recording, row]} class={kind} label={label ?? `frame of state ${row}`} />;
}

export function Problem({ text }: { text: string }): JSX.Element {
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

export function Waiting({ text = "Computing…" }: { text?: string }): JSX.Element {
  return (
    <p class="waiting" role="status">
      <span class="spinner" /> {text}
    </p>
  );
}
