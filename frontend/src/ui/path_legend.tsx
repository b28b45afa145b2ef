// Which path on the map is of which episode; each can be removed.
import type { JSX } from "preact";
import { useApp } from "../app";
import type { Recording } from "../data/recording";
import { useStore } from "../data/store";
import { pathLook } from "../map/paths";
import { clearPaths, episodeSaid, togglePath } from "../panels/paths";
import { Button, Icon } from "./parts";

/** A piece of the line that stands for the path in a place. */
export function PathKey({ place }: { place: number }): JSX.Element {
  const { color, dash } = pathLook(place);
  return (
    <svg class="path-key" viewBox="0 0 16 6" width="16" height="6" aria-hidden="true">
      <line x1="1.500" y1="3" x2="14.500" y2="3" stroke={color} stroke-dasharray={dash.map((length) => length * 0.6).join(" ")} />
    </svg>
  );
}

export function PathLegend({ recording }: { recording: Recording }): JSX.Element | null {
  const app = useApp();
  const paths = useStore(app.view, (view) => view.paths);
  useStore(app.look, (look) => look.arrived);
  const own = paths.flatMap((path, place) => (path?.rec === recording.id && path.episode < recording.meta.num_episodes ? [{ place, episode: path.episode }] : []));
  if (!own.length) return null;
  return (
    <div class="path-legend" role="group" aria-label="paths of episodes">
      <span class="faint">episodes</span>
      {own.map(({ place, episode }) => (
        <button
          type="button" key={episode} title={`Episode ${episode}, ${episodeSaid(recording, episode)}; click to remove its path`}
          aria-label={`Remove the path of episode ${episode}`} onClick={() => togglePath(app, recording.id, episode)}
        >
          <PathKey place={place} />
          {episode}
          <Icon name="close" />
        </button>
      ))}
      {own.length > 1 && <Button label="Remove all paths" class="all" onClick={() => clearPaths(app)}>clear</Button>}
    </div>
  );
}
