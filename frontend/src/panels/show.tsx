// "Show me": lists of states worth a look, each of which plays.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../app";
import type { Recording } from "../data/recording";
import { usePromise, useStore } from "../data/store";
import { count, plural } from "../ui/format";
import { Button, Frame, Options, Problem, Waiting } from "../ui/parts";
import { itemPasses, loadList, playItem } from "./lists";
import { Pair } from "./pair";
import { openSheet } from "./sheet";

export function ShowPanel({ recording }: { recording: Recording }): JSX.Element {
  const app = useApp();
  const list = useStore(app.view, (view) => view.list);
  const offered = recording.meta.lists;
  const chosen = offered.find((known) => known.name === list?.name);
  return (
    <div class="show">
      <Options
        label="lists" class={`lists ${chosen ? "short" : ""}`} chosen={chosen?.name ?? null} choose={(name) => app.view.set({ list: { name, item: null } })}
        options={offered.map(({ name, title, text }) => ({ value: name, title: text, label: <><b>{title}</b><span>{text}</span></> }))}
      />
      {offered.length === 0 && <p class="empty-state">This recording does not say what the lists look for: success, values, rewards or clusters.</p>}
      {chosen && <ListItems recording={recording} name={chosen.name} key={chosen.name} />}
    </div>
  );
}

export function ListItems({ recording, name }: { recording: Recording; name: string }): JSX.Element {
  const app = useApp();
  const list = useStore(app.view, (view) => view.list);
  useStore(app.filtering.store, (filtered) => filtered[recording.id]?.mask);
  const { value, error } = usePromise(() => loadList(app, recording.id, name), [recording, name]);
  const current = useRef<HTMLLIElement>(null);
  useEffect(() => current.current?.scrollIntoView({ block: "nearest" }), [list?.item, value]);
  if (error) return <Problem text={error} />;
  if (!value) return <Waiting text="Looking through all states…" />;
  if (!value.items.length) return <p class="empty-state">There are none in this recording.</p>;
  const cut = value.total > value.items.length;
  const passing = value.items.filter((item) => itemPasses(app, recording.id, item)).length;
  const isFiltered = app.filtering.mask(recording.id) !== null;
  return (
    <section class="items">
      <h3>
        {value.title} <span class="faint">{isFiltered && `${count(passing)} that ${passing === 1 ? "passes" : "pass"} the filter, of `}{cut ? `the first ${value.items.length} of ${count(value.total)}` : plural(value.total, "item")}</span>
        <Button label="All of them as a contact sheet" class="labelled sheet-button" onClick={() => openSheet(app, recording.id, { kind: "list" })}>contact sheet</Button>
      </h3>
      {value.note && <p class="faint">{value.note}</p>}
      <ol>
        {value.items.map((item, at) => {
          if (!itemPasses(app, recording.id, item)) return null;
          const isCurrent = list?.name === name && list.item === at;
          return (
            <li ref={isCurrent ? current : undefined} class={isCurrent ? "current" : ""}>
              <button type="button" data-plays aria-current={isCurrent} onClick={() => void playItem(app, recording.id, name, at)}>
                <Frame recording={recording} row={item.row} label="" />
                {item.other !== undefined && <Frame recording={recording} row={item.other} label="" />}
                <span class="text">{item.text}</span>
                <span class="faint">episode {item.episode}</span>
              </button>
              {isCurrent && item.other !== undefined && recording.meta.has_frames && <Pair recording={recording} row={item.row} other={item.other} names={["one", "the other"]} />}
            </li>
          );
        })}
      </ol>
      {cut && <p class="faint end">These are the first {count(value.items.length)} of {count(value.total)}.</p>}
    </section>
  );
}
