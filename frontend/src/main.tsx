// Starts the page: opens the source, restores what the address says, draws, and fetches the rest in order of need.
import { render } from "preact";
import { App, AppContext } from "./app";
import { embedded, FileSource } from "./data/file";
import { Recording } from "./data/recording";
import { ServerSource } from "./data/server";
import { sentence } from "./data/store";
import { begin } from "./start";
import { Page } from "./ui/page";
import "./styles/base.css";
import "./styles/map.css";
import "./styles/panels.css";
import "./styles/player.css";
import "./styles/filter.css";
import "./styles/episodes.css";
import "./styles/first_visit.css";
import "./styles/states.css";
import "./styles/save.css";
import "./styles/narrow.css";
import "./styles/print.css";

async function main(): Promise<void> {
  const root = document.getElementById("app") as HTMLElement;
  const source = embedded() ? await FileSource.open() : new ServerSource();
  const metas = await source.recordings();
  const app = new App(source, metas.map((meta) => new Recording(meta, source)));
  if (source instanceof FileSource) source.framesCame = () => app.arrive();
  document.title = `${metas.map((meta) => meta.name ?? meta.title).join(" and ")} · semantic-rl`;
  begin(app);
  render(
    <AppContext.Provider value={app}>
      <Page />
    </AppContext.Provider>,
    root,
  );
}

main().catch((error: unknown) => {
  const words = document.createElement("p");
  words.className = "fatal";
  words.setAttribute("role", "alert");
  words.textContent = sentence(error);
  document.getElementById("app")?.replaceChildren(words);
});

