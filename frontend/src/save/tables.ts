// The tables that can be taken along, made of the numbers that the panels show.
import type { App } from "../app";
import type { Cards, Comparison, Difference, Episodes, Inside, Playlist, Transitions } from "../data/contract";
import { type Bins, shownNumber } from "../data/filter_bins";
import type { FilterColumn } from "../data/filter_columns";
import { episodesOfPoints } from "../data/filter_columns";
import { allCounts, filteredClusters, keptBins } from "../data/filtered";
import type { Recording } from "../data/recording";
import { count, decimal, percent, plural, points, short, signed } from "../ui/format";
import { itemPasses } from "../panels/lists";
import { wilson } from "./intervals";
import type { Cell, Column, Table } from "./table";

const LEVEL_SAID = "95% interval";

function titleOf({ meta }: Recording): string {
  return meta.name ?? meta.title;
}

/** What the filters are, as the end of a caption. */
function filtered(app: App, recording: Recording): string {
  const { filters } = app.view.get();
  const left = app.filtering.of(recording.id);
  return left?.mask ? ` Of the ${plural(left.count, "state")} of ${plural(left.numEpisodes, "episode")} that pass the filter ${filters.join(" and ")}.` : "";
}

function whole(value: number | null): Cell {
  return { value, text: value === null ? "" : count(value) };
}

function range(low: number | null, high: number | null, say: (value: number) => string): Cell {
  return { value: null, text: low === null || high === null ? "" : `[${say(low)}, ${say(high)}]` };
}

export function clustersTable(app: App, recording: Recording, { clusters }: Cards): Table {
  const mask = app.filtering.mask(recording.id);
  const passing = mask && recording.get("cluster") ? filteredClusters(recording, mask) : null;
  const passed = passing?.reduce((sum, one) => sum + one.count, 0) ?? 0;
  const notes = app.notesOf(recording.id).store.get().clusters;
  const columns: Column[] = [
    { name: "cluster", title: "cluster" }, { name: "name", title: "name", isText: true }, { name: "states", title: "states" }, { name: "share", title: "share" },
    ...(passing ? [] : [{ name: "visits", title: "visits" }, { name: "mean_dwell_steps", title: "dwell" }, { name: "episodes", title: "episodes" }]),
    { name: "success", title: recording.meta.success_known ? "success" : null }, { name: "success_low", title: null }, { name: "success_high", title: null },
    { name: "success_interval", title: recording.meta.success_known ? LEVEL_SAID : null, isText: true, isWords: true }, { name: "episodes_ended", title: "n ended" }, { name: "note", title: null, isText: true },
  ];
  const rows = clusters.map((card): Cell[] => {
    const filter = passing?.[card.cluster];
    const ended = filter ? filter.ended : card.num_ended;
    const success = filter ? (filter.ended ? filter.succeeded / filter.ended : null) : card.success;
    const [low, high] = (success === null ? null : wilson(success, ended)) ?? [null, null];
    const [states, share] = filter ? [filter.count, filter.count / Math.max(passed, 1)] : [card.num_states, card.share];
    const say = (value: number): string => percent(value, 0);
    return [
      { value: card.cluster }, { value: notes[card.cluster]?.name ?? "" }, whole(states), { value: share, text: percent(share) },
      ...(filter ? [] : [whole(card.num_visits), { value: card.mean_dwell, text: decimal(card.mean_dwell, 1) }, whole(card.num_episodes)]),
      { value: success, text: percent(success, 0) }, { value: low }, { value: high }, range(low, high, say), whole(ended), { value: notes[card.cluster]?.note ?? "" },
    ];
  });
  const success = recording.meta.success_known ? " Success is that of the episodes that pass through a cluster and have ended, with Wilson's 95% interval." : "";
  return { name: "clusters", columns, rows, caption: `Clusters of ${titleOf(recording)}${passing ? "." : `: ${plural(recording.meta.num_states, "state")} of ${plural(recording.meta.num_episodes, "episode")}.`}${filtered(app, recording)}${success}` };
}

export function transitionsTable(recording: Recording, moves: Transitions): Table {
  const clusters = moves.counts.map((_, k) => k);
  const rows = clusters.flatMap((from) => clusters.map((to): Cell[] => [
    { value: from }, { value: to }, whole(moves.counts[from][to]), share(from === to ? null : moves.leaving[from][to]), share(moves.probabilities[from][to]),
  ])).filter(([, , number]) => number.value);
  return {
    name: "transitions", rows,
    columns: [
      { name: "from_cluster", title: "from" }, { name: "to_cluster", title: "to" }, { name: "number", title: "n" }, { name: "share_of_moves_out", title: "of moves out" },
      { name: "share_of_steps", title: "of steps" },
    ],
    caption: `Transitions between the clusters of ${titleOf(recording)}: how often a step in one cluster is followed by a state of another, of ${plural(recording.meta.num_states, "state")} of ${plural(recording.meta.num_episodes, "episode")}.`,
  };
}

function share(value: number | null): Cell {
  return { value, text: percent(value) };
}

const DIFFERENCE_COLUMNS: readonly Column[] = [
  { name: "what", title: "", isText: true }, { name: "inside", title: "inside" }, { name: "rest", title: "rest" }, { name: "difference", title: "difference" },
  { name: "low", title: null }, { name: "high", title: null }, { name: "interval", title: LEVEL_SAID, isText: true, isWords: true }, { name: "effect", title: "effect" }, { name: "effect_name", title: "", isText: true },
  { name: "episodes_inside", title: "n inside" }, { name: "episodes_rest", title: "n rest" }, { name: "note", title: null, isText: true },
];

export function insideTable(app: App, recording: Recording, inside: Inside): Table {
  const { meta } = recording;
  const line = (what: string, of: Difference | undefined, isShare = false): Cell[][] => {
    if (!of) return [];
    const say = (value: number | null): string => (isShare ? percent(value) : short(value === null ? null : Number(value.toPrecision(3))));
    const apart = (value: number | null): string => (isShare ? points(value, 1) : value === null ? "" : `${value < 0 ? "" : "+"}${short(Number(value.toPrecision(3)))}`);
    return [[
      { value: what }, { value: of.inside, text: say(of.inside) }, { value: of.rest, text: say(of.rest) }, { value: of.difference, text: apart(of.difference) }, { value: of.low }, { value: of.high },
      range(of.low, of.high, apart), { value: of.effect, text: decimal(of.effect) }, { value: of.effect === null ? "" : of.effect_name }, whole(of.num_episodes), whole(of.num_episodes_rest), { value: of.note ?? "" },
    ]];
  };
  const action = (at: number): Cell[] => {
    const [low, high] = [inside.actions_low[at], inside.actions_high[at]];
    const difference = inside.actions[at] - inside.actions_rest[at];
    return [
      { value: `action ${meta.action_names[at]}` }, share(inside.actions[at]), share(inside.actions_rest[at]), { value: difference, text: points(difference, 1) }, { value: low }, { value: high },
      range(low, high, (value) => points(value, 1)), { value: null }, { value: "" }, whole(inside.num_episodes), whole(inside.progress.num_episodes_rest), { value: "" },
    ];
  };
  const taken = inside.actions.map((_, at) => at).filter((at) => inside.actions[at] > 0 || inside.actions_rest[at] > 0);
  const rows = [
    ...line("value", inside.value), ...line("success", inside.success, true), ...inside.parts.flatMap((part, at) => line(meta.action_parts[at].name, part)), ...line("reward", inside.reward),
    ...line("time in episode", inside.progress, true), ...line("dwell, steps", inside.dwell), ...line("uncertainty", inside.uncertainty, true), ...taken.map(action),
  ];
  const effect = inside.actions_effect === null ? "" : ` Actions: ${inside.actions_effect_name} ${decimal(inside.actions_effect)}.`;
  return {
    name: "selection", rows, columns: DIFFERENCE_COLUMNS,
    caption: `States inside a selection of ${titleOf(recording)} (${count(inside.count)} of ${count(inside.of)}, ${plural(inside.num_episodes, "episode")}) against the rest, with 95% intervals over episodes; n: episodes.${effect}${filtered(app, recording)}`,
  };
}

/** The episodes with a state that passes the filters. */
export function episodesTable(app: App, recording: Recording, episodes: Episodes): Table {
  const mask = app.filtering.mask(recording.id);
  const passing = mask && new Uint32Array(episodes.length.length);
  if (mask && passing) episodesOfPoints(recording).forEach((episode, index) => (passing[episode] += mask[index]));
  const shown = episodes.length.map((_, episode) => episode).filter((episode) => !passing || passing[episode] > 0);
  const { level_word: word, success_known } = recording.meta;
  return {
    name: "episodes",
    columns: [
      { name: "episode", title: "episode" }, { name: "return", title: "return" }, { name: "length", title: "steps" }, { name: "states", title: "states" },
      ...(passing ? [{ name: "states_passing", title: "that pass" }] : []), { name: "end", title: "end", isText: true },
      ...(success_known ? [{ name: "success", title: "success", isText: true }] : []), ...(episodes.level_seed && word ? [{ name: word, title: word }] : []),
    ],
    rows: shown.map((episode): Cell[] => [
      { value: episode }, { value: episodes.episode_return[episode], text: short(episodes.episode_return[episode]) }, whole(episodes.length[episode]), whole(episodes.num_rows[episode]),
      ...(passing ? [whole(passing[episode])] : []), { value: episodes.end[episode] ?? "not ended" },
      ...(success_known ? [{ value: episodes.success[episode] === null ? "" : episodes.success[episode] ? "yes" : "no" }] : []), ...(episodes.level_seed && word ? [{ value: episodes.level_seed[episode] }] : []),
    ]),
    caption: `Episodes of ${titleOf(recording)}: n = ${count(shown.length)} of ${count(episodes.length.length)}.${filtered(app, recording)}`,
  };
}

export function compareTable([a, b]: readonly Recording[], { differences }: Comparison): Table {
  return {
    name: "comparison",
    columns: [
      { name: "what", title: "", isText: true }, { name: "cluster_a", title: null }, { name: "cluster_b", title: null }, { name: "a", title: "A" }, { name: "b", title: "B" }, { name: "difference", title: "difference" },
      { name: "low", title: null }, { name: "high", title: null }, { name: "interval", title: LEVEL_SAID, isText: true, isWords: true }, { name: "episodes_a", title: "n A" }, { name: "episodes_b", title: "n B" },
    ],
    rows: differences.map((row): Cell[] => {
      const say = (value: number | null): string => (row.is_share ? percent(value, row.digits) : decimal(value, row.digits));
      const apart = (value: number | null): string => (row.is_share ? points(value, row.digits) : signed(value, row.digits));
      const [ours, theirs] = row.clusters ?? [null, null];
      const where = ours === null ? "" : ours === theirs ? `cluster ${ours}: ` : `cluster ${ours} / ${theirs}: `;
      return [
        { value: row.what, text: `${where}${row.what}` }, { value: ours }, { value: theirs }, { value: row.a, text: say(row.a) }, { value: row.b, text: say(row.b) },
        { value: row.difference, text: apart(row.difference) }, { value: row.low }, { value: row.high }, range(row.low, row.high, apart), whole(row.num_episodes_a), whole(row.num_episodes_b),
      ];
    }),
    caption: `A: ${titleOf(a)} (${plural(a.meta.num_episodes, "episode")}); B: ${titleOf(b)} (${plural(b.meta.num_episodes, "episode")}). Differences B − A with 95% intervals over episodes; n: episodes.`,
  };
}

export function listTable(app: App, recording: Recording, list: Playlist): Table {
  const items = list.items.map((item, at) => ({ item, at })).filter(({ item }) => itemPasses(app, recording.id, item));
  const episodes = recording.episodes;
  const hasOther = items.some(({ item }) => item.other !== undefined);
  return {
    name: list.name.replace(/\//g, "-"),
    columns: [
      { name: "place", title: "" }, { name: "what", title: "", isText: true }, { name: "episode", title: "episode" }, { name: "row", title: "state" },
      ...(hasOther ? [{ name: "other_row", title: "other state" }] : []), { name: "first_row", title: null }, { name: "last_row", title: null },
      ...(episodes ? [{ name: "return", title: "return" }, { name: "length", title: "steps" }] : []),
    ],
    rows: items.map(({ item, at }): Cell[] => [
      { value: at + 1 }, { value: item.text }, { value: item.episode }, { value: item.row }, ...(hasOther ? [{ value: item.other ?? null }] : []), { value: item.first }, { value: item.last },
      ...(episodes ? [{ value: episodes.episode_return[item.episode], text: short(episodes.episode_return[item.episode]) }, whole(episodes.length[item.episode])] : []),
    ]),
    caption: `${list.title}, ${titleOf(recording)}: n = ${count(items.length)} of ${count(list.total)}.${list.note ? ` ${list.note}` : ""}${filtered(app, recording)}`,
  };
}

/** The histograms of the filter's panel, one below the other. */
export function histogramsTable(app: App, recording: Recording, columns: readonly FilterColumn[]): Table {
  const shown = columns.map((column) => ({ column, bins: keptBins(recording, column) })).filter(({ column, bins }) => bins.count > 1 && column.name !== "episode");
  const left = app.filtering.of(recording.id);
  return {
    name: "histograms",
    columns: [
      { name: "column", title: "column", isText: true }, { name: "from", title: "from" }, { name: "to", title: "to" }, { name: "label", title: "", isText: true }, { name: "states", title: "n" }, { name: "of_all_states", title: "of all" },
    ],
    rows: shown.flatMap(({ column, bins }) => binsOf(app, recording, column, bins)),
    caption: `Distributions of the states of ${titleOf(recording)}: n states that pass the filters, of ${count(recording.count)}.${left?.mask ? filtered(app, recording) : ""}`,
  };
}

function binsOf(app: App, recording: Recording, column: FilterColumn, bins: Bins): Cell[][] {
  const mask = app.filtering.mask(recording.id);
  const all = allCounts(recording, column);
  const counts = mask ? countsOf(column, bins, mask) : all;
  return Array.from({ length: bins.count }, (_, bin) => bin).filter((bin) => bins.edges || all[bin] > 0).map((bin): Cell[] => {
    const edge = (at: number): Cell => (bins.edges ? { value: bins.edges[at], text: shownNumber(column, bins.edges[at]) } : { value: null });
    return [{ value: column.name }, edge(bin), edge(bin + 1), { value: bins.labels?.[bin] ?? "" }, whole(counts[bin]), whole(all[bin])];
  });
}

function countsOf(column: FilterColumn, bins: Bins, mask: Uint8Array): Uint32Array {
  const codes = column.codes();
  const counts = new Uint32Array(bins.count + 1);
  for (let index = 0; index < mask.length; index++) counts[bins.of[codes[index]]] += mask[index];
  return counts;
}
