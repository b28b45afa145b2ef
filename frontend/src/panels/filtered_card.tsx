// An opened cluster where states are filtered: what the card says, of those of its states that pass.
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { useApp } from "../app";
import type { Cards, Inside } from "../data/contract";
import { filteredCards, loadForCards } from "../data/filtered_cards";
import type { Recording } from "../data/recording";
import { usePromise } from "../data/store";
import { plural } from "../ui/format";
import { Problem, Waiting } from "../ui/parts";
import { ClusterCardBody } from "./card";

/** Milliseconds without another filter before the server is asked for frames. */
const CALM = 250;
const MOST_EXAMPLES = 6;

export function FilteredCardBody({ recording, cards, cluster, mask }: { recording: Recording; cards: Cards; cluster: number; mask: Uint8Array }): JSX.Element {
  const app = useApp();
  const { value: isLoaded, error } = usePromise(() => loadForCards(recording).then(() => true), [recording]);
  const counted = useMemo(() => (isLoaded ? filteredCards(recording, cards, mask) : null), [isLoaded, cards, mask]);
  const [framed, setFramed] = useState<{ inside: Inside; mask: Uint8Array; mean: Promise<Blob | null> | null } | null>(null);
  useEffect(() => {
    let current = true;
    const ask = async (): Promise<void> => {
      const inside = await app.source.inside(recording.id, { clusters: [cluster] }, mask);
      if (current) setFramed({ inside, mask, mean: inside.mean === null ? null : app.source.picture(inside.mean) });
    };
    const timer = setTimeout(() => void ask().catch(() => current && setFramed(null)), CALM);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [recording, cluster, mask]);
  if (error) return <Problem text={error} />;
  const card = counted?.clusters.find((one) => one.cluster === cluster);
  if (!counted || !card) return <Waiting text="Counting the states that pass…" />;
  const passing = { examples: framed?.inside.examples.slice(0, MOST_EXAMPLES) ?? [], mean: framed?.mean ?? null, num_frames: framed?.inside.num_frames ?? 0, isOld: framed !== null && framed.mask !== mask };
  return (
    <>
      {card.num_states > 0 && <p class="filtered-note inset">Of {plural(card.num_states, "state")} that {card.num_states === 1 ? "passes" : "pass"} the filter. Visits, dwell and a clip would need unbroken stays.</p>}
      <ClusterCardBody recording={recording} card={card} cards={{ all: counted.all, value_edges: cards.value_edges }} passing={passing} />
    </>
  );
}
