// A value that parts of the page share, and hear of when it changes.
import { useEffect, useState } from "preact/hooks";

export class Store<T extends object> {
  private readonly listeners = new Set<(now: T, before: T) => void>();

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(patch: Partial<T>): void {
    const before = this.value;
    const keys = Object.keys(patch) as (keyof T)[];
    if (keys.every((key) => Object.is(before[key], patch[key]))) return;
    this.value = { ...before, ...patch };
    for (const listener of [...this.listeners]) listener(this.value, before);
  }

  subscribe(listener: (now: T, before: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Draw a component again whenever what it selects from a store is another value. */
export function useStore<T extends object, S>(store: Store<T>, select: (value: T) => S): S {
  const [, redraw] = useState(0);
  const selected = select(store.get());
  useEffect(() => {
    let last = selected;
    const look = (): void => {
      const now = select(store.get());
      if (!Object.is(now, last)) {
        last = now;
        redraw((count) => count + 1);
      }
    };
    look();
    return store.subscribe(look);
  }, [store, selected]);
  return selected;
}

/** Whether a media query holds; draws a component again when that changes. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const look = (): void => setHolds(media.matches);
    look();
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, [query]);
  return holds;
}

/** Draw a component again with what a promise gives; `undefined` until then, and an error if it fails. */
export function usePromise<T>(make: () => Promise<T>, depends: unknown[]): { value?: T; error?: string } {
  const [state, setState] = useState<{ value?: T; error?: string }>({});
  useEffect(() => {
    let current = true;
    setState({});
    make().then(
      (value) => current && setState({ value }),
      (error: unknown) => current && setState({ error: sentence(error) }),
    );
    return () => {
      current = false;
    };
  }, depends);
  return state;
}

export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
