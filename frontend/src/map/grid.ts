// Finds the point nearest to a place: points sorted into the squares of a grid, looked at ring by ring.
import { HIGHEST } from "../data/contract";

const POINTS_A_SQUARE = 3;
const MOST_SQUARES = 1024;

export class Grid {
  private readonly side: number;
  /** Where the points of each square begin in `sorted`. */
  private readonly starts: Uint32Array;
  private readonly sorted: Uint32Array;

  constructor(private readonly points: Uint16Array) {
    const count = points.length / 2;
    this.side = Math.min(Math.max(Math.ceil(Math.sqrt(count / POINTS_A_SQUARE)), 1), MOST_SQUARES);
    this.starts = new Uint32Array(this.side * this.side + 1);
    for (let index = 0; index < count; index++) if (this.placed(index)) this.starts[this.square(index) + 1]++;
    for (let square = 0; square < this.side * this.side; square++) this.starts[square + 1] += this.starts[square];
    const next = this.starts.slice();
    this.sorted = new Uint32Array(this.starts[this.side * this.side]);
    for (let index = 0; index < count; index++) if (this.placed(index)) this.sorted[next[this.square(index)]++] = index;
  }

  /** The nearest accepted point within `radius` of (x, y), in the unit square; -1 if there is none. */
  nearest(x: number, y: number, radius: number, accept: (index: number) => boolean): number {
    const width = 1 / this.side;
    const [column, row] = [Math.floor(x * this.side), Math.floor(y * this.side)];
    let [best, bestDistance] = [-1, radius * radius];
    const outermost = Math.ceil(radius / width) + 1;
    for (let ring = 0; ring <= outermost; ring++) {
      for (let r = row - ring; r <= row + ring; r++) {
        if (r < 0 || r >= this.side) continue;
        const step = r === row - ring || r === row + ring ? 1 : Math.max(2 * ring, 1);
        for (let c = column - ring; c <= column + ring; c += step) {
          if (c < 0 || c >= this.side) continue;
          const square = r * this.side + c;
          for (let at = this.starts[square]; at < this.starts[square + 1]; at++) {
            const index = this.sorted[at];
            const dx = this.points[2 * index] / HIGHEST - x;
            const dy = this.points[2 * index + 1] / HIGHEST - y;
            const distance = dx * dx + dy * dy;
            if (distance <= bestDistance && accept(index)) [best, bestDistance] = [index, distance];
          }
        }
      }
      // whatever lies further out is at least `ring` squares away
      if (best >= 0 && bestDistance <= (ring * width) ** 2) break;
    }
    return best;
  }

  private placed(index: number): boolean {
    return this.points[2 * index] !== HIGHEST || this.points[2 * index + 1] !== HIGHEST;
  }

  private square(index: number): number {
    const column = Math.min(Math.floor((this.points[2 * index] / HIGHEST) * this.side), this.side - 1);
    const row = Math.min(Math.floor((this.points[2 * index + 1] / HIGHEST) * this.side), this.side - 1);
    return row * this.side + column;
  }
}
