// Asks for the states nearest to one, with progress, until one stops waiting.
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import type { Near, PlaneName } from "../data/contract";
import type { Recording } from "../data/recording";
import type { Among, Way } from "../data/sheet";
import { sentence, useStore } from "../data/store";

export interface Asked {
  near: Near | null;
  error: string | null;
  /** 0 to 1 while it is looked for; null if it is not. */
  progress: number | null;
  stop: () => void;
}

export const STOPPED = "You stopped the search.";

/** The states nearest to `row`; nothing is asked if that is null. */
export function useNear(recording: Recording, row: number | null, by: Way, among: Among, plane: PlaneName): Asked {
  const app = useApp();
  const mask = useStore(app.filtering.store, (filtered) => filtered[recording.id]?.mask ?? null);
  const [state, setState] = useState<Omit<Asked, "stop">>({ near: null, error: null, progress: null });
  const abort = useRef(new AbortController());
  const inPlane = by === "plane" ? plane : null;
  useEffect(() => {
    if (row === null) return setState({ near: null, error: null, progress: null });
    const mine = new AbortController();
    abort.current = mine;
    let current = true;
    setState({ near: null, error: null, progress: 0 });
    const ask = async (): Promise<void> => {
      await app.filtering.settled();
      const query = { row, by, plane, episodes: among };
      const near = await app.source.near(recording.id, query, app.filtering.mask(recording.id), (progress) => current && setState({ near: null, error: null, progress }), mine.signal);
      if (current) setState({ near, error: null, progress: null });
    };
    ask().catch((error: unknown) => current && setState({ near: null, error: mine.signal.aborted ? STOPPED : sentence(error), progress: null }));
    return () => {
      current = false;
      mine.abort();
    };
  }, [recording, row, by, among, inPlane, mask]);
  return { ...state, stop: () => abort.current.abort() };
}
