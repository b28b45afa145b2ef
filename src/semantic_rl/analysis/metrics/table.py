"""The metrics as a plain table, for a terminal or a text file."""

from semantic_rl.analysis.metrics.result import Metrics, metric_rows

ARROWS = {"higher is better": "↑", "lower is better": "↓", "": " "}
FEW_UNITS = 10
"""With fewer episodes than this the table warns that intervals are rough."""


def metrics_table(metrics: Metrics) -> str:
    """Return the table: one line per metric, one column per method; ↑ and ↓ mark whether higher or lower is better."""
    cells: list[tuple[str, list[str]]] = []
    groups: dict[int, str] = {}
    last = ""
    for row in metric_rows(metrics):
        if row.group != last:
            groups[len(cells)] = last = row.group
        estimates = ["" if estimate is None else estimate.text() for estimate in (row.estimate, *row.baselines)]
        cells.append((f"{ARROWS[row.direction]} {row.title}", estimates))
    titles = [method.title for method in metrics.methods]
    first = max(len(title) for title, _ in cells)
    widths = [max(len(title), *(len(row[column]) for _, row in cells)) for column, title in enumerate(titles)]

    def line(title: str, columns: list[str]) -> str:
        padded = (f"{column:<{width}}" for column, width in zip(columns, widths, strict=True))
        return "  ".join((f"{title:<{first}}", *padded)).rstrip()

    lines = [line("", titles)]
    for index, (title, row) in enumerate(cells):
        if index in groups:
            lines += ["", groups[index]]
        lines.append(line(title, row))
    return "\n".join([*lines, "", *_notes(metrics)])


def _notes(metrics: Metrics) -> list[str]:
    """Explain what was measured, what the brackets mean, and what is missing and why."""
    sample, bootstrap = metrics.sample, metrics.bootstrap
    drawn = "" if sample["states"] == metrics.recording["states"] else f" of {metrics.recording['states']:,}"
    episodes, levels = (
        f"{sample[name]:,} {name if sample[name] != 1 else name[:-1]}" for name in ("episodes", "levels")
    )
    notes = [f"{sample['states']:,} states{drawn} in {episodes} of {levels}."]
    if bootstrap["note"] is None:
        units = "episodes" if bootstrap["unit"] == "episode" else f"{bootstrap['units']} groups of episodes"
        notes.append(f"In brackets: {bootstrap['level']:.0%} bootstrap interval over {units}.")
    if 1 < bootstrap["units"] < FEW_UNITS:
        notes.append(f"They are rough: {bootstrap['units']} episodes say little about how much others would differ.")
    titles = {method.key: method.title for method in metrics.methods}
    missing = {
        f"{metric.info.title} ({titles[key]}): {estimate.note}."
        for metric in metrics.metrics
        for key, estimate in metric.estimates.items()
        if estimate.note is not None and (estimate.value is None or bootstrap["note"] is None)
    }
    notes += [f"{note[0].upper()}{note[1:]}." for note in [bootstrap["note"]] if note]
    return [*notes, *sorted(missing), *(f"Not measured: {what}: {why}" for what, why in metrics.omitted)]
