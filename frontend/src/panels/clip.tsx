// A clip on a card: a few runs of states, one after the other, over and over, while it is in view.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import type { Recording } from "../data/recording";
import { useMedia } from "../data/store";
import { asFrame, Button, paint } from "../ui/parts";

/** Slower than it is played, as the clips that semantic-rl writes: 8 frames a second of Procgen's 15 steps. */
const SLOWED = 8 / 15;
const RUN_GAP_MS = 250;

export function Clip({ recording, runs }: { recording: Recording; runs: readonly (readonly [number, number])[] }): JSX.Element {
  const app = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const calm = useMedia("(prefers-reduced-motion: reduce)");
  const [chosen, setChosen] = useState<boolean | null>(null);
  const plays = chosen ?? !calm;
  const isPlaying = useRef(plays);
  isPlaying.current = plays;
  useEffect(() => {
    const frames = app.frames.get(recording.id);
    if (!frames || !canvas.current || !runs.length) return;
    const target = canvas.current;
    delete target.dataset.row;
    let [run, offset, due, current, seen, wanted] = [0, 0, 0, true, true, 0];
    const sight = new IntersectionObserver(([entry]) => {
      seen = entry.isIntersecting;
    });
    sight.observe(target);
    const tick = (now: number): void => {
      if (!current) return;
      wanted = requestAnimationFrame(tick);
      if (now < due || !seen || document.hidden || (!isPlaying.current && target.dataset.row)) return;
      const [first, count] = runs[run];
      const bitmap = frames.now(first + offset);
      if (bitmap === undefined) return frames.ahead(first + offset, first + count - 1, 6, count);
      paint(target, bitmap);
      target.dataset.row = String(first + offset);
      due = now + 1000 / (recording.meta.steps_per_second * SLOWED);
      if (++offset >= count) {
        [run, offset] = [(run + 1) % runs.length, 0];
        due += RUN_GAP_MS;
      } else {
        frames.get(first + offset).catch(() => undefined);
      }
    };
    wanted = requestAnimationFrame(tick);
    return () => {
      current = false;
      cancelAnimationFrame(wanted);
      sight.disconnect();
    };
  }, [recording, runs]);
  return (
    <div class="moving-picture">
      <canvas ref={canvas} class="picture clip" {...asFrame(recording)} role="img" aria-label="clip of the cluster" />
      <Button icon={plays ? "pause" : "play"} label={plays ? "Pause the clip" : "Play the clip"} onClick={() => setChosen(!plays)} />
    </div>
  );
}
