// A picture as SVG: what is drawn with a canvas's words is there as shapes, and text is text.
import assert from "node:assert/strict";
import test from "node:test";
import { escaped, SvgSurface } from "../src/save/svg_surface";

function drawn(draw: (surface: SvgSurface) => void): string {
  const surface = new SvgSurface(() => "data:,");
  draw(surface);
  return surface.file(200, 100, [100, 50], "title", "about <it>");
}

test("size, unit and description are in the head", () => {
  const file = drawn(() => undefined);
  assert.match(file, /<svg [^>]*width="200" height="100" viewBox="0 0 100 50"/);
  assert.match(file, /<desc>about &lt;it&gt;<\/desc>/);
});

test("a path is filled and lined as a canvas would", () => {
  const file = drawn((surface) => {
    surface.beginPath();
    surface.moveTo(1, 2);
    surface.lineTo(3.14159, 4);
    surface.closePath();
    [surface.fillStyle, surface.globalAlpha] = ["#ff0000", 0.5];
    surface.fill();
    [surface.strokeStyle, surface.lineWidth, surface.globalAlpha, surface.lineCap] = ["#00ff00", 2, 1, "round"];
    surface.setLineDash([5, 4]);
    surface.stroke();
  });
  assert.ok(file.includes('<path d="M1 2L3.14 4Z" fill="#ff0000" fill-opacity="0.5"/>'));
  assert.ok(file.includes('<path d="M1 2L3.14 4Z" fill="none" stroke="#00ff00" stroke-width="2" stroke-linecap="round" stroke-dasharray="5 4"/>'));
});

test("a circle stays a circle, and what is transparent is not drawn", () => {
  const file = drawn((surface) => {
    surface.beginPath();
    surface.arc(5, 6, 2);
    surface.fillStyle = "transparent";
    surface.fill();
    surface.stroke();
  });
  assert.equal(file.match(/<circle/g)?.length, 1);
  assert.ok(file.includes('<circle cx="5" cy="6" r="2" fill="none"'));
});

test("text can be edited, with what surrounds it", () => {
  const file = drawn((surface) => surface.text(10, 20, "A & B < C", { size: 10, color: "#000000", anchor: "middle", halo: "#ffffff" }));
  assert.match(file, /<text x="10" y="23.5" font-size="10" fill="#000000" text-anchor="middle" paint-order="stroke" stroke="#ffffff"[^>]*>A &amp; B &lt; C<\/text>/);
});

test("what XML may not hold is left out", () => {
  assert.equal(escaped("a\u0000b\ud800c 漢 🙂"), "abc 漢 🙂");
});
