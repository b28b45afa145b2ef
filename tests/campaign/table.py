"""The table of what was tried: how many inputs of each kind, and how many were answered right and wrong."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .batches import Batch

SHOWN = 6
"""Kinds of wrong answers that are listed for each kind of input."""


class Result(NamedTuple):
    """What came of all batches of one kind."""

    kind: str
    tried: int
    wrong: list[str]
    late: Sequence[str] = ()
    """What took too long at first, with both times."""


def read_results(folder: Path, batches: Sequence[Batch]) -> list[Result]:
    """Add up what the batches found, in their order."""
    tried: Counter[str] = Counter()
    wrong: dict[str, list[str]] = {}
    late: dict[str, list[str]] = {}
    for batch in batches:
        kind = f"{batch.attack}: {batch.name}"
        wrong.setdefault(kind, []), late.setdefault(kind, [])
        path = folder / f"{batch.file_name}.json"
        if path.exists():
            content: Any = json.loads(path.read_text())
            tried[kind] += content["tried"]
            wrong[kind] += [f"{said} (seed {batch.seed}, input {index})" for index, said in content["wrong"]]
            for index, first, again in content.get("late", []):
                where = f"(seed {batch.seed}, input {index})"
                if again is None:
                    wrong[kind].append(f"took {first}, and was not tried again {where}")
                late[kind].append(f"{first}; by itself {again} {where}")
    return [Result(kind, tried[kind], said, late[kind]) for kind, said in wrong.items()]


def show(results: Sequence[Result]) -> str:
    """Return the table as Markdown, and below it what was wrong, the most frequent first."""
    rows = [("what", "tried", "right", "wrong")]
    rows += [(result.kind, *_numbers(result.tried, len(result.wrong))) for result in results]
    total = sum(result.tried for result in results)
    rows.append(("**all**", *_numbers(total, sum(len(result.wrong) for result in results))))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---|---:|---:|---:|")
    for result in results:
        for said, count in Counter(map(_alike, result.wrong)).most_common(SHOWN):
            example = next(one for one in result.wrong if _alike(one) == said)
            lines.append(f"- {result.kind}, {count} times: {' '.join(example.split())[:500]}")
    for result in results:
        lines += [f"- late: {result.kind}: {said}" for said in result.late]
    return "\n".join(lines)


def _alike(said: str) -> str:
    """Return what is the same in answers that are wrong in the same way."""
    what = said.partition(" ← ")[0].partition(" (seed ")[0]
    return re.sub(r"/\S*|0x\w+|[\d,.]+", "…", what)[:160]


def _numbers(tried: int, wrong: int) -> tuple[str, str, str]:
    return f"{tried:,}", f"{tried - wrong:,}", f"{wrong:,}"
