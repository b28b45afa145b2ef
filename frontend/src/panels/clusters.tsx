// The clusters, one a row: how often, shown or not, and opened: what each is.
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import type { Cards } from "../data/contract";
import type { Recording } from "../data/recording";
import { filteredClusters } from "../data/filtered";
import { usePromise, useStore } from "../data/store";
import { clusterColor } from "../map/colors";
import { count, decimal, percent, plural } from "../ui/format";
import { Badge, Button, Frame, Problem, Waiting } from "../ui/parts";
import { ClusterCardBody } from "./card";
import { FilteredCardBody } from "./filtered_card";
import { soloed, toggled } from "./visible";

export function ClustersPanel({ recording }: { recording: Recording }): JSX.Element {
  const app = useApp();
  const { value: cards, error } = usePromise(() => recording.keep<Cards>("clusters", () => app.source.clusters(recording.id)), [recording]);
  const view = useStore(app.view, (state) => state);
  const left = useStore(app.filtering.store, (filtered) => filtered[recording.id]);
  const opened = useRef<HTMLLIElement>(null);
  useEffect(() => { // which the address may say; on a page that scrolls as a whole, the map comes first
    if (document.documentElement.scrollHeight <= innerHeight) opened.current?.scrollIntoView({ block: "nearest" });
  }, [cards]);
  const cluster = recording.get("cluster");
  const filtered = useMemo(() => (left?.mask && cluster ? filteredClusters(recording, left.mask) : null), [recording, left, cluster]);
  const all = view.solo.length === 0 && view.hide.length === 0;
  if (!recording.meta.num_codes) return <NoClusters recording={recording} />;
  if (error) return <Problem text={error} />;
  if (!cards) return <Waiting text="Summarising the clusters…" />;
  if (!cards.clusters.length) return <p class="empty-state">This recording has no states.</p>;
  const shares = cards.clusters.map((card) => (filtered ? filtered[card.cluster].count / Math.max(left?.count ?? 0, 1) : card.share));
  const most = Math.max(...shares, 1e-9);
  return (
    <div class="clusters">
      <header class="panel-head">
        <span class="faint">{filtered && left ? `${count(left.count)} of ${plural(recording.count, "state")} pass the filter` : `${count(recording.meta.num_states)} states, ${count(recording.meta.num_episodes)} episodes`}</span>
        <span class="grow" />
        <Button label="Show all clusters" keys="A" class="labelled" disabled={all} onClick={() => app.view.set({ solo: [], hide: [] })}>show all</Button>
      </header>
      <Heads recording={recording} filtered={filtered !== null} />
      <ul class="rows">
        {cards.clusters.map((card, at) => {
          const passing = filtered?.[card.cluster];
          const slot = recording.slots[card.cluster];
          const hidden = view.hide.includes(slot);
          const off = hidden || (view.solo.length > 0 && !view.solo.includes(slot));
          const isOpen = view.card === card.cluster;
          return (
            <li key={card.cluster} ref={isOpen ? opened : undefined} class={`${isOpen ? "open" : ""} ${off ? "off" : ""}`} data-cluster={card.cluster}>
              <div class="row">
                <button type="button" class="row-main" aria-expanded={isOpen} onClick={() => app.view.set({ card: isOpen ? null : card.cluster })}>
                  <Badge recording={recording} cluster={card.cluster} />
                  {!recording.meta.has_frames ? null : card.medoid === null ? <span class="picture" /> : <Frame recording={recording} row={card.medoid} label="the state nearest to all others of the cluster" />}
                  <span class="what">
                    <RowName recording={recording} cluster={card.cluster} />
                    <span class="much">
                      <span class="share" aria-hidden="true">
                        <i style={{ width: `${(100 * shares[at]) / most}%`, background: clusterColor(recording, card.cluster) }} />
                      </span>
                      <span class="sr">share </span>
                      <span class="number" title={passing ? "share of the states that pass the filter" : "share of all states"}>{percent(shares[at])}</span>
                      {passing
                        ? <span class="number faint" title={`${plural(passing.count, "state")} of the cluster's ${count(passing.total)} pass the filter`}>{count(passing.count)}</span>
                        : <span class="number faint" title="steps from entering to leaving, on average">{decimal(card.mean_dwell, (card.mean_dwell ?? 0) < 100 ? 1 : 0)} steps</span>}
                      {passing && recording.meta.success_known && <span class="number faint" title={`success of the ${plural(passing.ended, "episode")} with a state here that passes the filter, of those that have ended`}>{passing.ended > 0 && <>{percent(passing.succeeded / passing.ended, 0)} ✓ <small>of {count(passing.ended)}</small></>}</span>}
                      {!passing && card.success !== null && <span class="number faint" title={`success of the ${plural(card.num_ended, "episode")} that pass through it and have ended`}>{percent(card.success, 0)} ✓ <small>of {count(card.num_ended)}</small></span>}
                    </span>
                  </span>
                </button>
                <Button icon="solo" label={`Cluster ${card.cluster} alone`} pressed={view.solo.includes(slot)} onClick={(event) => app.view.set({ solo: soloed(view.solo, slot, event.shiftKey) })} />
                <Button icon="eye" label={`Show cluster ${card.cluster}`} pressed={!hidden} onClick={() => app.view.set({ hide: toggled(view.hide, slot) })} />
              </div>
              {isOpen && (left?.mask ? <FilteredCardBody recording={recording} cards={cards} cluster={card.cluster} mask={left.mask} /> : <ClusterCardBody recording={recording} card={card} cards={cards} />)}
            </li>
          );
        })}
      </ul>
      <Author recording={recording} />
    </div>
  );
}

/** Over the numbers of the rows: what they are. It has a row's parts, so that it stands where they do. */
function Heads({ recording: { meta }, filtered }: { recording: Recording; filtered: boolean }): JSX.Element {
  return (
    <div class="row heads faint" aria-hidden="true">
      <span class="row-main">
        <span class="badge-room" />
        {meta.has_frames && <span class="picture" />}
        <span class="what">
          <span class="much">
            <span class="share" />
            <span class="number" title={filtered ? "share of the states that pass the filter" : "share of all states"}>share</span>
            {filtered ? <span class="number">states</span> : <span class="number" title="steps from entering to leaving, on average">dwell</span>}
            {meta.success_known && <span class="number" title="of the episodes that pass through and have ended">success</span>}
          </span>
        </span>
      </span>
      <span class="button bare" /><span class="button bare" />
    </div>
  );
}

function RowName({ recording, cluster }: { recording: Recording; cluster: number }): JSX.Element {
  const name = useStore(useApp().notesOf(recording.id).store, (state) => state.clusters[cluster]?.name ?? "");
  return name ? <span class="name">{name}</span> : <span class="name faint">cluster {cluster}</span>;
}

function NoClusters({ recording }: { recording: Recording }): JSX.Element {
  const { algorithm } = recording.meta.agent;
  return (
    <div class="empty-state">
      <p><b>No clusters</b></p>
      <p>This agent{algorithm && ` (${algorithm})`} was trained without the semantic clustering module; <code>semantic-rl fit</code> fits clusters to what it recorded. Map, player, lasso and lists work all the same.</p>
    </div>
  );
}

/** With whose name notes are signed. */
function Author({ recording }: { recording: Recording }): JSX.Element | null {
  const notes = useApp().notesOf(recording.id);
  const author = useStore(notes.store, (state) => state.author);
  const usual = useStore(notes.store, (state) => state.usual);
  const [text, setText] = useState(author);
  useEffect(() => setText(author), [author]);
  if (!notes.writable) return null;
  return (
    <label class="author">
      <span class="faint" title="Names and notes are saved in the recording's folder as they are written">Names and notes are signed</span>
      <input value={text} placeholder={usual || "your name"} maxLength={80} onInput={(event) => setText(event.currentTarget.value)} onBlur={() => notes.setAuthor(text.trim())} />
    </label>
  );
}
