// Where the name of each cluster stands on a map: its middle in the agent's own plane, its densest place in the others.
import { HIGHEST, NOT_PLACED, type PlaneName, type Point } from "../data/contract";
import type { Notes } from "../data/notes";
import type { Recording } from "../data/recording";
import type { Camera } from "./camera";
import { clusterColor, clusterInk } from "./colors";
import { apart, namePlaces } from "./label_places";

const SQUARES = 40;
const MOST_LOOKED_AT = 200_000;

/** The labels of a map, as elements of the page: their text stays text. */
export class Labels {
  private readonly known = new Map<PlaneName, (Point | null)[]>();
  private readonly tags: HTMLElement[];
  /** Of the names, in pixels; null until they are measured anew. */
  private widths: number[] | null = null;

  constructor(
    private readonly box: HTMLElement,
    private readonly recording: Recording,
    private readonly notes: Notes,
  ) {
    this.tags = recording.meta.colors.map(() => {
      const tag = document.createElement("span");
      tag.append(document.createElement("b"), document.createElement("i"));
      return tag;
    });
    box.replaceChildren(...this.tags);
    this.rename();
  }

  /** Write numbers, names and colours anew. */
  rename(): void {
    this.tags.forEach((tag, cluster) => {
      const [number, name] = tag.children as unknown as [HTMLElement, HTMLElement];
      number.textContent = String(cluster);
      number.style.background = clusterColor(this.recording, cluster);
      number.style.color = clusterInk(this.recording, cluster);
      name.textContent = this.notes.name(cluster);
    });
    this.widths = null;
  }

  forget(): void {
    this.known.clear();
    this.rename();
  }

  dim(states: Uint8Array): void {
    this.tags.forEach((tag, cluster) => tag.classList.toggle("dim", states[cluster] === 1));
    this.tags.forEach((tag, cluster) => tag.classList.toggle("gone", states[cluster] === 0));
  }

  /** Where labels stand in the unit square, on the way from one plane to another. */
  places(planes: { from: PlaneName; to: PlaneName } | null, moved: number): (Point | null)[] {
    if (!planes) return [];
    const [start, end] = [this.of(planes.from), this.of(planes.to)];
    return end.map((to, k) => {
      const from = start[k] ?? to;
      return to && from ? [from[0] + (to[0] - from[0]) * moved, from[1] + (to[1] - from[1]) * moved] : null;
    });
  }

  put(places: readonly (Point | null)[], camera: Camera, shown: boolean): void {
    this.box.hidden = !shown;
    if (!shown) return;
    this.widths ??= this.tags.map((tag) => (tag.lastElementChild as HTMLElement).offsetWidth);
    const isGone = (cluster: number): boolean => this.tags[cluster].classList.contains("gone");
    const badges = apart(this.tags.map((_, cluster) => {
      const place = places[cluster];
      return place && !isGone(cluster) ? camera.toPixel(place) : null;
    }));
    const names = namePlaces(badges, this.widths, [camera.width, camera.height]);
    this.tags.forEach((tag, cluster) => {
      const [badge, name] = [badges[cluster], names[cluster]];
      tag.hidden = !badge;
      if (!badge) return;
      tag.style.transform = `translate(${badge[0].toFixed(1)}px, ${badge[1].toFixed(1)}px)`;
      const text = tag.lastElementChild as HTMLElement;
      text.style.visibility = name ? "" : "hidden";
      if (name) text.style.transform = `translate(${name[0].toFixed(1)}px, ${name[1].toFixed(1)}px)`;
    });
  }

  private of(plane: PlaneName): (Point | null)[] {
    const known = this.known.get(plane) ?? labelPlaces(this.recording, plane);
    if (known.some((place) => place)) this.known.set(plane, known);
    return known;
  }
}

/** In the unit square; null for a cluster without points there. */
export function labelPlaces(recording: Recording, plane: PlaneName): (Point | null)[] {
  const [points, clusters] = [recording.get(plane), recording.get("cluster")];
  const count = recording.meta.num_codes;
  if (!points || !clusters) return Array<null>(count).fill(null);
  const step = Math.max(1, Math.floor(recording.count / MOST_LOOKED_AT));
  return plane === "fdr" ? middles(points, clusters, count, step) : densest(points, clusters, count, step);
}

function middles(points: ArrayLike<number>, clusters: ArrayLike<number>, count: number, step: number): (Point | null)[] {
  const sums = new Float64Array(3 * count);
  for (let index = 0; index < clusters.length; index += step) {
    const at = 3 * clusters[index];
    sums[at] += points[2 * index];
    sums[at + 1] += points[2 * index + 1];
    sums[at + 2]++;
  }
  return Array.from({ length: count }, (_, k) => {
    const total = sums[3 * k + 2] * HIGHEST;
    return total ? [sums[3 * k] / total, sums[3 * k + 1] / total] : null;
  });
}

function densest(points: ArrayLike<number>, clusters: ArrayLike<number>, count: number, step: number): (Point | null)[] {
  const counts = new Float64Array(count * SQUARES * SQUARES);
  for (let index = 0; index < clusters.length; index += step) {
    const [x, y] = [points[2 * index], points[2 * index + 1]];
    if (x === NOT_PLACED && y === NOT_PLACED) continue;
    const column = Math.min(Math.floor((x / HIGHEST) * SQUARES), SQUARES - 1);
    const row = Math.min(Math.floor((y / HIGHEST) * SQUARES), SQUARES - 1);
    counts[(clusters[index] * SQUARES + row) * SQUARES + column]++;
  }
  return Array.from({ length: count }, (_, k) => {
    let [best, bestAt] = [0, -1];
    for (let row = 1; row < SQUARES - 1; row++) {
      for (let column = 1; column < SQUARES - 1; column++) {
        let around = 0;
        for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++) around += counts[(k * SQUARES + row + dy) * SQUARES + column + dx];
        }
        if (around > best) [best, bestAt] = [around, row * SQUARES + column];
      }
    }
    return bestAt < 0 ? null : [((bestAt % SQUARES) + 0.5) / SQUARES, (Math.floor(bestAt / SQUARES) + 0.5) / SQUARES];
  });
}
