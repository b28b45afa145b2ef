// The words of the page, one sentence each.
import type { JSX } from "preact";
import type { Meta } from "../data/contract";

type Word = readonly [word: string, sentence: string];

const ALWAYS: readonly Word[] = [
  ["state", "What the agent saw at one step of an episode, with what it did there."],
  ["episode", "One game or task from its start to its end."],
  ["features", "The numbers that the recorded layer of the agent’s network computes for a state."],
  ["return", "The sum of an episode’s rewards."],
  ["return to go", "The sum of the rewards from a state to the end of its episode."],
  ["value", "The discounted return that the agent itself expects from a state on."],
  ["time", "Where a state lies in its episode: 0% is the first step, 100% the last."],
  ["t-SNE", "A plane in which states with similar features lie near each other, while long distances say little."],
  ["PCA", "The plane of the two directions in which the features of all states differ most."],
  ["95% interval", "The range in which a difference lies in 95% of repetitions in which whole episodes are drawn anew from those recorded."],
  ["effect size", "How large a difference is, measured so that different quantities can be compared."],
  ["d", "Cohen’s d: a difference of two means, divided by how widely the states are spread; 0.2 is small, 0.8 large."],
  ["h", "Cohen’s h: a difference of two shares of episodes on a scale on which 5% against 10% is more than 50% against 55%."],
  ["V", "Cramér’s V: how differently actions are distributed, from 0 (as in the rest) to 1 (all others than in the rest)."],
  ["near states", "The states whose features (or places in a plane, or frames) differ least from those of one state."],
  ["tag", "A word that people give to states, on the panel States; filters and colours can use it."],
  ["lookalikes", "Two states whose frames look almost the same, but which are in different clusters."],
];

const OF_CLUSTERS: readonly Word[] = [
  ["FDR space", "The plane to which the agent’s features are mapped (feature dimensionality reduction) and in which its clusters lie."],
  ["code", "A point of the FDR space that stands for a cluster."],
  ["cluster", "All states whose nearest code is the same."],
  ["cell", "The part of the FDR space in which one code is the nearest."],
  ["dwell", "How many consecutive steps the agent spends in a cluster, or inside a lasso."],
  ["uncertainty", "How evenly near a state is to several codes: 0% in the middle of a cell, 100% if all codes are as near."],
];

const OF_SPPO: Word = ["λ", "The factor of the losses that form the plane and the clusters during training; while it is 0, they are not trained."];
const OF_LEVELS: readonly Word[] = [
  ["level", "The number from which the environment makes an episode’s world."],
  ["held-out", "Levels on which the agent was not trained, or states that were not used to fit the clusters."],
];
const FITTED: Word = ["held-out", "States that were set aside when the clusters were fitted, to score them on."];
const SUCCESS: Word = ["success", "Whether an episode ended as the environment wants; a share of successes is of the episodes that have ended."];

/** The words that a page needs, in the order of the alphabet. */
export function wordsOf(metas: readonly Meta[]): Word[] {
  const some = (is: (meta: Meta) => boolean): boolean => metas.some(is);
  const words = [
    ...ALWAYS.filter(([word]) => word !== "value" || some(({ value_known }) => value_known)),
    ...(some(({ num_codes }) => num_codes > 0) ? OF_CLUSTERS : []),
    ...(some(({ num_codes, clusters_fitted }) => num_codes > 0 && !clusters_fitted) ? [OF_SPPO] : []),
    ...(some(({ level_word }) => level_word !== null) ? OF_LEVELS : some(({ clusters_fitted }) => clusters_fitted) ? [FITTED] : []),
    ...(some(({ success_known }) => success_known) ? [SUCCESS] : []),
  ];
  return words.sort(([one], [other]) => one.localeCompare(other, "en"));
}

export function Glossary({ metas }: { metas: readonly Meta[] }): JSX.Element {
  return (
    <section class="glossary">
      <h3>Words</h3>
      <dl>{wordsOf(metas).map(([word, sentence]) => <div key={word}><dt>{word}</dt><dd>{sentence}</dd></div>)}</dl>
    </section>
  );
}
