// Draws up to a million points with WebGL2, a part of them at a time where the machine is slow.
//
// Columns go to the GPU as they came from the server. Points are drawn in a shuffled order, so that what is on top does
// not depend on time and any part of them is a fair sample: while a map moves, as many are drawn as fit into a frame;
// when it rests, the others follow.
import type { Point } from "../data/contract";
import type { Values } from "../data/recording";
import { type Camera, clamp } from "./camera";
import { Density } from "./density";
import { compile, makeRow, shuffled } from "./program";

const VERTEX = `#version 300 es
precision highp float;
in vec2 a_from; in vec2 a_to; in float a_tone; in float a_group; in float a_mark;
uniform float u_moved, u_size, u_marked, u_opacity, u_only;
uniform vec2 u_center, u_scale, u_window;
uniform vec4 u_ghost;
uniform sampler2D u_colors, u_states;
flat out vec4 v_color;
void main() {
  float state = texelFetch(u_states, ivec2(int(a_group), 0), 0).r * 255.0;
  if (u_marked > 0.5 && a_mark < 0.5) state = min(state, 1.0);
  bool here = a_from.x < 1.0 || a_from.y < 1.0;
  bool there = a_to.x < 1.0 || a_to.y < 1.0;
  float presence = mix(here ? 1.0 : 0.0, there ? 1.0 : 0.0, u_moved);
  gl_PointSize = u_size;
  if (state < 0.5 || presence < 0.01) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
  vec2 place = mix(here ? a_from : a_to, there ? a_to : a_from, u_moved);
  bool ghost = state < 1.5;
  int tone = int(clamp((a_tone - u_window.x) * u_window.y, 0.0, 255.0));
  vec4 paint = texelFetch(u_colors, ivec2(tone, 0), 0);
  bool rare = !ghost && paint.a > 0.9;
  if (u_only > 0.5 && (u_only < 1.5 ? !ghost : u_only < 2.5 ? ghost || rare : !rare)) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
  gl_Position = vec4((place - u_center) * u_scale, ghost ? 0.5 : 0.4 * (1.0 - paint.a), 1.0);
  if (rare) gl_PointSize = 1.3 * u_size;
  v_color = ghost ? u_ghost : vec4(paint.rgb, rare ? max(u_opacity, 0.6) : u_opacity);
  v_color.a *= presence;
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
flat in vec4 v_color;
uniform float u_round;
uniform vec3 u_rim;
out vec4 color;
void main() {
  vec4 it = v_color;
  if (u_round > 0.0) {
    float radius = length(gl_PointCoord * 2.0 - 1.0);
    it.a *= 1.0 - smoothstep(1.0 - u_round, 1.0, radius);
    if (it.a < 0.03) discard;
    it.rgb = mix(it.rgb, u_rim, 0.22 * smoothstep(1.0 - 2.2 * u_round, 1.0 - u_round, radius));
  }
  color = vec4(it.rgb * it.a, it.a);
}`;

export interface Look {
  center: Point;
  scale: Point;
  /** How far points have moved from one plane to the other, 0 to 1. */
  moved: number;
  /** Diameter of a point in pixels of the screen. */
  size: number;
  opacity: number;
  ghost: readonly [number, number, number, number];
  rim: readonly [number, number, number];
  /** Draw what is not rare as its density: how large points are then, and how many on a pixel have full colour. Null: draw points. */
  density: { size: number; most: number } | null;
}

/** Which points are drawn. */
const [ALL, SHADOWS, COMMON, RARE] = [0, 1, 2, 3];
/** Diameter of a point whose density is drawn, in pixels of the page. */
const DENSITY_SIZE = 2;

const ROUND_FROM = 3;
const FIRST_PART = 120_000;
const LEAST_PART = 40_000;
const RESTING = 3;
/** What a frame may take. */
const FRAME_MS = 28;

type Slot = "from" | "to" | "tone" | "group" | "mark";

export class Points {
  private readonly gl: WebGL2RenderingContext;
  private readonly program: WebGLProgram;
  private readonly places = new Map<string, WebGLUniformLocation | null>();
  private readonly buffers = new Map<Values, WebGLBuffer>();
  private readonly colors: { put(values: Uint8Array): void };
  private readonly states: { put(values: Uint8Array): void };
  private readonly density: Density | null;
  private look: Look | null = null;
  private hasRare = false;
  private hasShadows = false;
  private window: Point = [0, 1];
  private marked = false;
  private part = FIRST_PART;
  private drawn = 0;

  constructor(canvas: HTMLCanvasElement, readonly count: number) {
    const gl = canvas.getContext("webgl2", { antialias: false, preserveDrawingBuffer: true, powerPreference: "high-performance" });
    if (!gl) throw new Error("This browser does not offer WebGL2, which the map is drawn with.");
    this.gl = gl;
    this.program = compile(gl, VERTEX, FRAGMENT);
    gl.useProgram(this.program);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, shuffled(count), gl.STATIC_DRAW);
    this.colors = makeRow(gl, 0, 4);
    this.states = makeRow(gl, 1, 1);
    gl.uniform1i(this.uniform("u_colors"), 0);
    gl.uniform1i(this.uniform("u_states"), 1);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.density = Density.on(gl);
    gl.useProgram(this.program);
    gl.enable(gl.DEPTH_TEST); // shadows lie behind, whatever the order
    gl.depthFunc(gl.LEQUAL);
  }

  setPlanes(from: Values, to: Values): void {
    this.bind("from", from, 2, true);
    this.bind("to", to, 2, true);
  }

  /** Column that is coloured, the colours [256 × RGBA] (those of a higher A lie over the others), and which numbers of the column get the first and the last. */
  setTones(values: Values | null, colors: Uint8Array, low: number, high: number): void {
    this.bind("tone", values, 1, false);
    this.colors.put(colors);
    this.hasRare = colors.some((channel, at) => at % 4 === 3 && channel > 230);
    this.window = [low, 255.999 / Math.max(high - low, 1e-9)];
  }

  /** Clusters, and whether each is hidden (0), a shadow (1) or shown (2). */
  setGroups(values: Values | null, states: Uint8Array): void {
    this.bind("group", values, 1, false);
    this.states.put(states);
    this.hasShadows = states.includes(1);
  }

  /** Whether densities can be drawn. */
  get canSum(): boolean {
    return this.density !== null;
  }

  /** Points marked 1 are shown, the others are shadows; null: no marks. */
  setMarks(values: Uint8Array | null): void {
    this.bind("mark", values, 1, false);
    this.marked = values !== null;
  }

  /** Whether all points have been drawn since `begin`. */
  get done(): boolean {
    return this.drawn >= this.count;
  }

  /** Call back once the GPU has done what it was told. */
  finished(then: () => void): void {
    const { gl } = this;
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const look = (): void => {
      if (fence && !gl.isContextLost() && gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED) return void setTimeout(look, 2);
      gl.deleteSync(fence);
      then();
    };
    setTimeout(look, 0);
  }

  begin(look: Look): void {
    const { gl } = this;
    const set = (name: string, value: number): void => gl.uniform1f(this.uniform(name), value);
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    this.clear();
    gl.uniform2f(this.uniform("u_center"), ...look.center);
    gl.uniform2f(this.uniform("u_scale"), ...look.scale);
    gl.uniform2f(this.uniform("u_window"), ...this.window);
    gl.uniform4f(this.uniform("u_ghost"), ...look.ghost);
    gl.uniform3f(this.uniform("u_rim"), ...look.rim);
    set("u_moved", look.moved);
    set("u_opacity", look.opacity);
    set("u_marked", this.marked ? 1 : 0);
    this.look = look;
    this.drawn = 0;
  }

  /** Draw the next part: the first as large as fits into a frame, those after it larger, for then nothing moves. */
  step(): void {
    const isFirst = this.drawn === 0;
    const part = Math.min(isFirst ? this.part : this.part * RESTING, this.count - this.drawn);
    if (this.look?.density && this.density) this.addUp(this.density, this.look.density, part);
    else this.draw(ALL, this.look?.size ?? 1, this.drawn, part);
    this.drawn += part;
    if (isFirst) this.measure(part);
  }

  /** Add a part to the sums; after the first part and after the last, all that there is is shown. */
  private addUp(density: Density, { size: dot, most }: NonNullable<Look["density"]>, part: number): void {
    const { gl, drawn } = this;
    const size = this.look?.size ?? 1;
    density.begin(drawn === 0);
    gl.uniform1f(this.uniform("u_opacity"), 1);
    this.draw(COMMON, dot, drawn, part);
    gl.uniform1f(this.uniform("u_opacity"), this.look?.opacity ?? 1);
    density.end();
    const sum = drawn + part;
    if (drawn > 0 && sum < this.count) return;
    this.clear();
    if (this.hasShadows || this.marked) this.draw(SHADOWS, size, 0, sum);
    density.show((most * sum) / this.count);
    gl.useProgram(this.program);
    if (this.hasRare) this.draw(RARE, Math.max(size, dot), 0, sum);
  }

  private draw(only: number, size: number, first: number, count: number): void {
    const { gl } = this;
    gl.uniform1f(this.uniform("u_only"), only);
    gl.uniform1f(this.uniform("u_size"), size);
    gl.uniform1f(this.uniform("u_round"), only !== COMMON && size >= ROUND_FROM ? 2 / size : 0);
    gl.drawElements(gl.POINTS, count, gl.UNSIGNED_INT, first * 4);
  }

  private clear(): void {
    this.gl.clear(this.gl.COLOR_BUFFER_BIT | this.gl.DEPTH_BUFFER_BIT);
  }

  /** How long a part took decides how large the next first part is. */
  private measure(part: number): void {
    if (part < this.part) return;
    const began = performance.now();
    this.finished(() => {
      const factor = Math.min(Math.max(FRAME_MS / Math.max(performance.now() - began, 1), 0.5), 2);
      this.part = Math.max(LEAST_PART, Math.round(part * factor));
    });
  }

  private bind(slot: Slot, values: Values | null, width: number, normalized: boolean): void {
    const { gl } = this;
    const place = gl.getAttribLocation(this.program, `a_${slot}`);
    if (!values) {
      gl.disableVertexAttribArray(place);
      return gl.vertexAttrib1f(place, 0);
    }
    const type = { 1: gl.UNSIGNED_BYTE, 2: gl.UNSIGNED_SHORT, 4: values instanceof Float32Array ? gl.FLOAT : gl.UNSIGNED_INT }[
      values.BYTES_PER_ELEMENT
    ] as number;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer(values));
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, width, type, normalized, 0, 0);
  }

  private buffer(values: Values): WebGLBuffer {
    const { gl } = this;
    const known = this.buffers.get(values);
    if (known) return known;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    this.buffers.set(values, buffer);
    return buffer;
  }

  /** Let go of what was uploaded for marks or colours that are no longer shown. */
  forget(values: Values): void {
    const buffer = this.buffers.get(values);
    if (buffer) this.gl.deleteBuffer(buffer);
    this.buffers.delete(values);
  }

  /** Give all memory back; nothing can be drawn any more. */
  release(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private uniform(name: string): WebGLUniformLocation | null {
    if (!this.places.has(name)) this.places.set(name, this.gl.getUniformLocation(this.program, name));
    return this.places.get(name) ?? null;
  }
}

/** The part of the square that points usually cover. */
const FILLED = 0.3;

const MOST_OPAQUE = 0.9;

/** The colour of shadows: fainter where many lie over each other. */
export function shadowOf({ ghost: [r, g, b, a] }: { ghost: readonly [number, number, number, number] }, opacity: number): [number, number, number, number] {
  return [r, g, b, (a * opacity) / MOST_OPAQUE];
}

/** From so many points on, and where they lie over each other so often, their density is drawn unless one wants points. */
const MANY_POINTS = 100_000;
const MUCH_OVERLAP = 6;

export interface PointLook {
  size: number;
  opacity: number;
  /** Whether so many points lie over each other that their density says more. */
  isDense: boolean;
}

/** How large points are, in pixels, and how opaque: `most` points may lie on a map, `count` do. */
export function pointLook(count: number, most: number, camera: Camera): PointLook {
  const spacing = (Math.min(camera.width, camera.height) / Math.sqrt(most)) * 0.58;
  const size = Math.min(clamp(spacing, 1.5, 6) * Math.max(camera.zoom.scale, 0.8) ** 0.35, 10);
  // where points lie over each other many times, let them show how many
  const overlap = (count * size ** 2) / (FILLED * camera.side ** 2);
  return { size, opacity: clamp(MOST_OPAQUE / Math.sqrt(Math.max(overlap, 1e-6)), 0.16, MOST_OPAQUE), isDense: count >= MANY_POINTS && overlap > MUCH_OVERLAP };
}

/** How a plane's density is drawn where a pixel of the page is `fine` pixels: `densest` points lie in its unit of area where it is densest. */
export function densityLook(densest: number, camera: Camera, fine: number): NonNullable<Look["density"]> {
  return { size: Math.max(Math.round(DENSITY_SIZE * fine), 1), most: (densest * DENSITY_SIZE ** 2) / camera.side ** 2 };
}
