// Saves the view as a picture.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../app";
import { sentence, useStore } from "../data/store";
import { Button, Options, Problem } from "../ui/parts";
import { download, fileName } from "./download";
import { Check, Line, Whole } from "./form";
import { aboutSvg, LEAST_SIDE, makePicture, MOST_SIDE, type PictureChoice, shownSize } from "./picture";

const FINER = 2;

export function PictureForm(): JSX.Element {
  const app = useApp();
  const { dark } = useStore(app.look, (look) => look);
  const [shownWidth, shownHeight] = shownSize(app).map(Math.round);
  const bounded = (side: number): number => Math.min(Math.max(side, LEAST_SIDE), MOST_SIDE);
  const [choice, setChoice] = useState<Omit<PictureChoice, "dark">>({
    kind: "png", width: bounded(FINER * shownWidth), height: bounded(FINER * shownHeight), transparent: false, legend: true,
  });
  const [theme, setTheme] = useState<"light" | "dark">(dark ? "dark" : "light");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const set = (patch: Partial<typeof choice>): void => setChoice((before) => ({ ...before, ...patch }));
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    await new Promise((resolve) => setTimeout(resolve, 30)); // so that it is seen to begin
    try {
      const { plane, color } = app.view.get();
      const name = fileName(...app.recordings.map(({ meta }) => meta.name ?? meta.title), plane, color);
      download(await makePicture(app, { ...choice, dark: theme === "dark" }), `${name}.${choice.kind}`);
    } catch (problem) {
      setError(sentence(problem));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="save-form" onSubmit={(event) => { event.preventDefault(); void save(); }}>
      <p class="faint">The map as it is in view, with its names, cells, frames, path and lasso. Letters grow with the picture: it is the same view at any size.</p>
      <Line title="format"><Options label="format" chosen={choice.kind} choose={(kind) => set({ kind })} options={[{ value: "png", label: "PNG" }, { value: "svg", label: "SVG" }]} /></Line>
      <Line title="pixels">
        <span class="sides">
          <Whole label="width" value={choice.width} least={LEAST_SIDE} most={MOST_SIDE} change={(width) => set({ width })} />
          <span aria-hidden="true">×</span>
          <Whole label="height" value={choice.height} least={LEAST_SIDE} most={MOST_SIDE} change={(height) => set({ height })} />
          <Button label="As large as it is shown" class="labelled" onClick={() => set({ width: bounded(shownWidth), height: bounded(shownHeight) })}>as shown</Button>
        </span>
      </Line>
      <Line title="theme"><Options label="theme of the picture" chosen={theme} choose={setTheme} options={[{ value: "light", label: "light" }, { value: "dark", label: "dark" }]} /></Line>
      <Line title="with">
        <Check label="legend" checked={choice.legend} change={(legend) => set({ legend })} />
        <Check label="transparent background" checked={choice.transparent} change={(transparent) => set({ transparent })} />
      </Line>
      {choice.kind === "svg" && <p class="faint">{aboutSvg(app)}</p>}
      {error && <Problem text={error} />}
      <p class="save-actions"><button type="submit" class="button main" disabled={busy}>{busy ? "Drawing…" : `Save ${choice.kind.toUpperCase()}`}</button></p>
    </form>
  );
}
