// "Save": what can be taken along, in one place.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import { useStore } from "../data/store";
import { percent } from "../ui/format";
import { Button, Options } from "../ui/parts";
import { ClipForm } from "./clip_form";
import { ExportForm } from "./export_form";
import { ExportJob } from "./export_job";
import { PictureForm } from "./picture_form";
import { TablesForm } from "./tables_form";

const KINDS = [
  { value: "picture", label: "Picture" }, { value: "tables", label: "Tables" }, { value: "clip", label: "Clip" }, { value: "file", label: "One file" },
] as const;
type Kind = (typeof KINDS)[number]["value"];

export function SaveButton(): JSX.Element {
  const app = useApp();
  const made = useStore(app.exportJob.store, (state) => state);
  return (
    <Button icon="save" label="Save: a picture, tables, a clip, or the page in one file" keys="E" onClick={() => app.look.set({ save: true })}>
      {ExportJob.isBusy(made) ? `Saving ${percent(made.state?.progress ?? 0, 0)}` : made.state?.bytes !== undefined ? "Your file is ready" : "Save…"}
    </Button>
  );
}

export function SaveDialog(): JSX.Element | null {
  const open = useStore(useApp().look, (look) => look.save);
  return open ? <OpenDialog /> : null;
}

function OpenDialog(): JSX.Element {
  const app = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const [kind, setKind] = useState<Kind>(app.exportJob.store.get().rec === null ? "picture" : "file");
  useEffect(() => dialog.current?.showModal(), []);
  const close = (): void => app.look.set({ save: false });
  const about = app.recordings.length > 1 && kind !== "picture" ? ` of ${app.view.get().rec.toUpperCase()}` : "";
  return (
    <dialog class="help save" ref={dialog} aria-label="save" onClose={close} onClick={(event) => event.target === dialog.current && close()}>
      <div>
        <header>
          <h2>Save{about}</h2>
          <Button icon="close" label="Close" keys="Esc" onClick={close} />
        </header>
        <Options label="what to save" options={KINDS} chosen={kind} choose={setKind} />
        {kind === "picture" && <PictureForm />}
        {kind === "tables" && <TablesForm />}
        {kind === "clip" && <ClipForm />}
        {kind === "file" && <ExportForm job={app.exportJob} />}
      </div>
    </dialog>
  );
}
