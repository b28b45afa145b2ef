"""Shows the progress of training: a live table on a terminal, otherwise one line per update."""

import math
import sys
import time
from collections.abc import Mapping
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

SECONDS_BETWEEN_REDRAWS = 0.25


def _number(row: Mapping[str, Any], name: str, form: str) -> str:
    value = row.get(name)
    return "–" if value is None or (isinstance(value, float) and math.isnan(value)) else format(value, form)


def duration(seconds: float) -> str:
    """Format seconds as 1:02:03 or 2:03."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Display:
    """Shows the progress of the run; silent on all workers but the first."""

    def __init__(self, title: str, num_updates: int, done: int, enabled: bool) -> None:
        self._title = title
        self._num_updates = num_updates
        self._done_before = self._done = done
        self._enabled = enabled
        self._row: Mapping[str, Any] = {}
        self._phase = ("starting", 0, 1)
        self._began = self._drawn = time.monotonic()
        self._bars = Progress(
            TextColumn("{task.description:<11}"), BarColumn(None), TextColumn("{task.fields[state]}"), expand=True
        )
        self._run_bar = self._bars.add_task("run", total=num_updates, completed=done, state="")
        self._phase_bar = self._bars.add_task("starting", total=1, state="")
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._enabled and sys.stdout.isatty():
            self._live = Live(self._render(), console=Console(), auto_refresh=False)
            self._live.start()
        elif self._enabled:
            print(self._title, flush=True)
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the last table on the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def phase(self, name: str, done: int, total: int) -> None:
        """Show the current phase of an update and its progress."""
        self._phase = (name, done, total)
        if self._live is not None and time.monotonic() - self._drawn > SECONDS_BETWEEN_REDRAWS:
            self._draw()

    def update(self, row: Mapping[str, Any]) -> None:
        """Show the row of a finished update."""
        self._done += 1
        self._row = row
        if self._live is not None:
            self._draw()
        elif self._enabled:
            print(self._line(), flush=True)

    def _draw(self) -> None:
        assert self._live is not None
        self._drawn = time.monotonic()
        self._live.update(self._render(), refresh=True)

    def seconds_left(self) -> float:
        """Estimate the remaining seconds from this session's pace; NaN before the first update."""
        done = self._done - self._done_before
        elapsed = time.monotonic() - self._began
        return elapsed / done * (self._num_updates - self._done) if done else math.nan

    def _left(self) -> str:
        seconds = self.seconds_left()
        return "–" if math.isnan(seconds) else duration(seconds)

    def _line(self) -> str:
        row = self._row
        parts = [
            f"update {self._done}/{self._num_updates}",
            f"{row['misc/total_timesteps']:,} steps",
            f"{_number(row, 'fps', '.0f')} steps/s",
            f"left {self._left()}",
            f"return {_number(row, 'eprewmean', '.2f')}",
            f"policy {_number(row, 'loss/policy_loss', '.4f')}",
            f"value {_number(row, 'loss/value_loss', '.4f')}",
            f"entropy {_number(row, 'loss/policy_entropy', '.3f')}",
        ]
        if "semantic/weight" in row:
            parts += [
                f"FDR {_number(row, 'loss/skill_loss', '.5f')}",
                f"VQ {_number(row, 'loss/vq_loss', '.3f')}",
                f"λ {_number(row, 'semantic/weight', '.2f')}",
                f"codes {_number(row, 'semantic/codes_in_use', 'd')}",
            ]
        return "  ".join(parts)

    def _render(self) -> Group:
        name, done, total = self._phase
        row = self._row
        steps = f"{row['misc/total_timesteps']:,} steps" if row else ""
        self._bars.update(
            self._run_bar, completed=self._done, state=f"{self._done}/{self._num_updates} updates  {steps}"
        )
        self._bars.update(self._phase_bar, description=name, completed=done, total=total, state=f"{done}/{total}")
        table = Table.grid(padding=(0, 3))
        cells = [
            ("steps/s", _number(row, "fps", ".0f")),
            ("time left", self._left()),
            ("return", _number(row, "eprewmean", ".2f")),
            ("episode length", _number(row, "eplenmean", ".0f")),
            ("policy loss", _number(row, "loss/policy_loss", ".4f")),
            ("value loss", _number(row, "loss/value_loss", ".4f")),
            ("entropy", _number(row, "loss/policy_entropy", ".3f")),
            ("approx. KL", _number(row, "loss/approxkl", ".4f")),
        ]
        if not row or "semantic/weight" in row:
            cells += [
                ("FDR loss", _number(row, "loss/skill_loss", ".5f")),
                ("VQ loss", _number(row, "loss/vq_loss", ".3f")),
                ("λ", _number(row, "semantic/weight", ".2f")),
                ("codes in use", _number(row, "semantic/codes_in_use", "d")),
            ]
        for start in range(0, len(cells), 4):
            table.add_row(*(f"[dim]{label}[/] [bold]{value}[/]" for label, value in cells[start : start + 4]))
        return Group(self._title, self._bars, table)
