// WebGL2 made short: compile, upload, look up.

export function compile(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error("WebGL is not available.");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The map's shader could not be compiled: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}

/** Make a row of 256 texels on a texture unit; `put` replaces their content. */
export function makeRow(gl: WebGL2RenderingContext, unit: number, channels: 1 | 4): { put(values: Uint8Array): void } {
  const texture = gl.createTexture();
  const [inner, format] = channels === 4 ? [gl.RGBA8, gl.RGBA] : [gl.R8, gl.RED];
  return {
    put(values) {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      gl.texImage2D(gl.TEXTURE_2D, 0, inner, 256, 1, 0, format, gl.UNSIGNED_BYTE, values);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    },
  };
}

/** The same shuffled order of 0 … count − 1 every time: any beginning of it is a fair sample. */
export function shuffled(count: number): Uint32Array {
  const order = new Uint32Array(count);
  let state = 0x9e3779b9;
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (at + 1));
    order[at] = order[other];
    order[other] = at;
  }
  return order;
}
