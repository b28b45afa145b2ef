// The keys, the words, and what the recording says of itself.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../app";
import type { Meta } from "../data/contract";
import { useStore } from "../data/store";
import { compact, count, plural } from "./format";
import { toStep } from "./first_visit";
import { Glossary } from "./glossary";
import { HELP } from "./keys";
import { Button } from "./parts";

export function Help(): JSX.Element {
  const app = useApp();
  const open = useStore(app.look, (look) => look.help);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog class="help" ref={dialog} aria-label="keys and help" onClose={() => app.look.set({ help: false })} onClick={(event) => event.target === dialog.current && app.look.set({ help: false })}>
      <div>
        <header>
          <h2>Help</h2>
          <Button icon="close" label="Close" keys="Esc" onClick={() => app.look.set({ help: false })} />
        </header>
        <h3>Keys</h3>
        <div class="keys">
          {HELP.map((part) => (
            <section>
              <h4>{part.title}</h4>
              <dl>
                {part.keys.map((key) => <><dt>{key.keys}</dt><dd>{key.text}</dd></>)}
              </dl>
            </section>
          ))}
        </div>
        <Glossary metas={app.recordings.map(({ meta }) => meta)} />
        <p class="again"><Button label="Show the first steps again" class="labelled" onClick={() => { app.look.set({ help: false }); toStep(app, 0); }}>show the first steps</Button></p>
        {app.recordings.map((recording) => <About meta={recording.meta} />)}
        {app.source.about && <p class="faint">{app.source.about}</p>}
      </div>
    </dialog>
  );
}

function About({ meta }: { meta: Meta }): JSX.Element {
  const { agent } = meta;
  const rows: [string, string | null | undefined][] = [
    ["recording", meta.name ?? meta.id],
    ["agent", [agent.algorithm?.toUpperCase(), agent.env, agent.distribution_mode, agent.seed == null ? null : `seed ${agent.seed}`].filter(Boolean).join(", ")],
    ["layer", agent.layer === null ? null : `${agent.layer}, ${plural(agent.num_features, "number")}`],
    ["trained for", agent.timesteps == null ? null : `${compact(agent.timesteps)} steps`],
    ["policy file", agent.sha256 ? `SHA-256 ${agent.sha256.slice(0, 16)}…` : null],
    ["recorded", `${count(meta.num_states)} states of ${count(meta.num_episodes)} episodes${meta.protocol ? `, protocol ${meta.protocol}` : ""}`],
    ["versions", versions(meta.provenance.versions)],
  ];
  return (
    <section class="about-recording">
      <h3>{meta.title}</h3>
      <dl>{rows.filter(([, text]) => text).map(([name, text]) => <><dt>{name}</dt><dd>{text}</dd></>)}</dl>
      {meta.notes.map((note) => <p class="faint">{note}</p>)}
    </section>
  );
}

function versions(found: unknown): string | null {
  if (typeof found !== "object" || found === null) return null;
  return Object.entries(found).map(([name, version]) => `${name} ${String(version)}`).join(", ");
}
