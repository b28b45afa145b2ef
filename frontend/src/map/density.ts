// Where points lie over each other many times: how many lie on each pixel, and their mean colour.
//
// Points are added up in a texture of floats; a second pass turns each pixel's number into opacity, by its logarithm, and
// the sum of colours into their mean.
import { HIGHEST, NOT_PLACED } from "../data/contract";
import type { Values } from "../data/recording";
import { compile } from "./program";

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1)) * 4.0 - 1.0;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D u_sums;
uniform float u_most;
out vec4 color;
void main() {
  vec4 sum = texelFetch(u_sums, ivec2(gl_FragCoord.xy), 0);
  if (sum.a < 0.01) discard;
  float alpha = min(mix(0.2, 1.0, log(1.0 + sum.a) / log(1.0 + u_most)), 0.96) * min(sum.a, 1.0);
  color = vec4(sum.rgb / sum.a * alpha, alpha);
}`;

/** Texture unit of the sums; those before it are the points' own. */
const UNIT = 2;
const CELLS = 200;
const MOST_LOOKED_AT = 200_000;
/** Of the cells with points, those with more points than this share of them have full colour. */
const FULL_FROM = 0.99;

export class Density {
  private readonly program: WebGLProgram;
  private readonly texture: WebGLTexture;
  private readonly frame: WebGLFramebuffer;
  private size: [number, number] = [0, 0];

  /** Null where the graphics card cannot add up floats. */
  static on(gl: WebGL2RenderingContext): Density | null {
    const isOffered = gl.getExtension("EXT_color_buffer_float") && gl.getExtension("EXT_float_blend");
    return isOffered ? new Density(gl) : null;
  }

  private constructor(private readonly gl: WebGL2RenderingContext) {
    this.program = compile(gl, VERTEX, FRAGMENT);
    this.texture = gl.createTexture();
    this.frame = gl.createFramebuffer();
  }

  /** Begin to add up: what is drawn until `end` goes into the sums. */
  begin(isNew: boolean): void {
    const { gl } = this;
    const [width, height] = [gl.drawingBufferWidth, gl.drawingBufferHeight];
    gl.activeTexture(gl.TEXTURE0 + UNIT);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    if (this.size[0] !== width || this.size[1] !== height) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, height, 0, gl.RGBA, gl.FLOAT, null);
      for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
      this.size = [width, height];
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.texture, 0);
    if (isNew) gl.clear(gl.COLOR_BUFFER_BIT);
    gl.disable(gl.DEPTH_TEST);
    gl.blendFunc(gl.ONE, gl.ONE);
  }

  end(): void {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.enable(gl.DEPTH_TEST);
  }

  /** Draw the sums over what there is; `most` points on a pixel have full colour. */
  show(most: number): void {
    const { gl } = this;
    gl.useProgram(this.program);
    gl.disable(gl.DEPTH_TEST);
    gl.uniform1i(gl.getUniformLocation(this.program, "u_sums"), UNIT);
    gl.uniform1f(gl.getUniformLocation(this.program, "u_most"), Math.max(most, 1));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.enable(gl.DEPTH_TEST);
  }
}

/** How many points lie in the densest parts of a plane, per unit of its area. */
export function densest(points: Values): number {
  const count = points.length / 2;
  const step = Math.max(1, Math.floor(count / MOST_LOOKED_AT));
  const cells = new Uint32Array(CELLS * CELLS);
  for (let index = 0; index < count; index += step) {
    const [x, y] = [points[2 * index], points[2 * index + 1]];
    if (x === NOT_PLACED && y === NOT_PLACED) continue;
    cells[Math.min(Math.floor((x / HIGHEST) * CELLS), CELLS - 1) + CELLS * Math.min(Math.floor((y / HIGHEST) * CELLS), CELLS - 1)]++;
  }
  const filled = cells.filter((number) => number > 0).sort();
  return (filled.length ? filled[Math.floor(FULL_FROM * (filled.length - 1))] : 0) * step * CELLS * CELLS;
}
