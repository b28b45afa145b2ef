// Saves what the panels show as tables.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type App, useApp } from "../app";
import type { Cards, Comparison, Transitions } from "../data/contract";
import type { Recording } from "../data/recording";
import { sentence, useStore } from "../data/store";
import { loadList, movesOf } from "../panels/lists";
import { Button, Problem } from "../ui/parts";
import { download, fileName } from "./download";
import { type Table, toCsv, toLatex } from "./table";
import { clustersTable, compareTable, episodesTable, histogramsTable, insideTable, listTable, transitionsTable } from "./tables";

interface Offer {
  title: string;
  text: string;
  make: () => Promise<Table>;
}

/** The tables that there are now, of the recording that the panels are about. */
function offers(app: App, recording: Recording): Offer[] {
  const { list } = app.view.get();
  const { rec, inside } = app.lasso.get();
  const found: Offer[] = [];
  if (recording.meta.num_codes) {
    found.push({
      title: "Clusters", text: "share, dwell, episodes and success of each",
      make: async () => {
        const cards = await recording.keep<Cards>("clusters", () => app.source.clusters(recording.id));
        await Promise.all([app.filtering.settled(), recording.loadEpisodes(), recording.load("cluster")]);
        return clustersTable(app, recording, cards);
      },
    });
    found.push({
      title: "Transitions", text: "moves from each cluster to each other",
      make: async () => transitionsTable(recording, await recording.keep<Transitions>("transitions", () => app.source.transitions(recording.id))),
    });
  }
  if (rec === recording.id && inside) {
    found.push({ title: "Selection", text: "inside against the rest, with intervals", make: async () => insideTable(app, recording, inside) });
  }
  if (list) {
    const title = recording.meta.lists.find(({ name }) => name === list.name)?.title ?? (movesOf(list.name) ? `Moves from ${movesOf(list.name)?.join(" to ")}` : list.name);
    found.push({
      title, text: "the items of the list that is open",
      make: async () => {
        const [found] = await Promise.all([loadList(app, recording.id, list.name), recording.loadEpisodes()]);
        return listTable(app, recording, found);
      },
    });
  }
  if (app.recordings.length > 1) {
    found.push({
      title: "Comparison", text: "differences of the recordings, with intervals",
      make: async () => compareTable(app.recordings, await app.recordings[0].keep<Comparison>("compare", () => app.source.compare())),
    });
  }
  found.push({
    title: "Episodes", text: "return, length and end of each",
    make: async () => {
      const [episodes] = await Promise.all([recording.loadEpisodes(), app.filtering.settled()]);
      return episodesTable(app, recording, episodes);
    },
  });
  found.push({
    title: "Histograms", text: "of every column, as the filters leave it",
    make: async () => {
      const columns = await app.filtering.columns(recording);
      return histogramsTable(app, recording, columns);
    },
  });
  return found;
}

export function TablesForm(): JSX.Element {
  const app = useApp();
  useStore(app.lasso, (lasso) => lasso.inside);
  const rec = useStore(app.view, (view) => view.rec);
  const [error, setError] = useState<string | null>(null);
  const recording = app.recording(rec);
  const save = async (offer: Offer, kind: "csv" | "tex"): Promise<void> => {
    setError(null);
    try {
      const table = await offer.make();
      const name = `${fileName(recording.meta.name ?? recording.meta.title, table.name)}.${kind}`;
      if (kind === "csv") download(toCsv(table), name, "text/csv;charset=utf-8");
      else download(toLatex(table), name, "application/x-tex;charset=utf-8");
    } catch (problem) {
      setError(sentence(problem));
    }
  };
  const { inside } = app.lasso.get();
  return (
    <div class="save-form">
      <p class="faint">CSV has all digits, for programs. LaTeX has rounded numbers with intervals and n, as a table with booktabs.{inside ? "" : " Draw a lasso for a table of what is inside it."}</p>
      <ul class="save-tables">
        {offers(app, recording).map((offer) => (
          <li>
            <span><b>{offer.title}</b> <span class="faint">{offer.text}</span></span>
            <span class="group">
              <Button label={`${offer.title} as CSV`} class="labelled" onClick={() => void save(offer, "csv")}>CSV</Button>
              <Button label={`${offer.title} as LaTeX`} class="labelled" onClick={() => void save(offer, "tex")}>LaTeX</Button>
            </span>
          </li>
        ))}
      </ul>
      {error && <Problem text={error} />}
    </div>
  );
}
