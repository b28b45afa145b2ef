// Choosing the episodes whose paths the map shows.
import type { App } from "../app";
import { MOST_PATHS, numPaths, type Paths, toggledPath, withPath } from "../data/paths";
import type { Recording } from "../data/recording";

/** Show the path of an episode, or no longer; says in a sentence if there is no place for it. */
export function togglePath(app: App, rec: string, episode: number): void {
  put(app, toggledPath(app.view.get().paths, rec, episode));
}

/** Show the paths of several episodes, beside those that are shown. */
export function addPaths(app: App, rec: string, episodes: Iterable<number>): void {
  let { paths } = app.view.get();
  let isCut = false;
  for (const episode of episodes) {
    isCut ||= numPaths(paths) === MOST_PATHS;
    paths = withPath(paths, rec, episode);
  }
  if (isCut) sayFull(app);
  if (paths !== app.view.get().paths) app.view.set({ paths });
}

export function clearPaths(app: App): void {
  app.view.set({ paths: [] });
}

function put(app: App, paths: Paths): void {
  if (paths === app.view.get().paths) sayFull(app);
  else app.view.set({ paths });
}

function sayFull(app: App): void {
  app.look.set({ problem: `The map shows the paths of at most ${MOST_PATHS} episodes; more could not be told apart.` });
}

/** "return 10, 57 steps, success": what is known of an episode. */
export function episodeSaid({ meta, episodes }: Recording, episode: number): string {
  if (!episodes) return "";
  const { end, success, episode_return, length, level_seed } = episodes;
  const known = success[episode];
  return [
    meta.reward_known && `return ${Number(episode_return[episode].toPrecision(4))}`,
    `${length[episode]} ${length[episode] === 1 ? "step" : "steps"}`,
    level_seed && `${meta.level_word ?? "level"} ${level_seed[episode]}`,
    end[episode] === null ? "not ended" : meta.success_known && known !== null && (known ? "success" : "no success"),
  ].filter(Boolean).join(", ");
}
