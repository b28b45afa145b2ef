"""The section on provenance: commands that reproduce the page, settings, versions."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from semantic_rl.config import RecordConfig, TrainConfig, to_dict
from semantic_rl.recording.store import Recording
from semantic_rl.report.about import About
from semantic_rl.report.html import Html, element, join
from semantic_rl.report.parts import section

ALWAYS_SHOWN = ("algorithm", "env", "distribution_mode", "num_levels", "start_level", "timesteps", "seed")
"""Training settings that a command names even if they have their default."""
OF_THE_MACHINE = frozenset({"run_root", "resume", "device", "precision", "num_threads"})


def making_section(about: About, recording: Recording) -> Html:
    """Show how the recording and the page were made."""
    description = recording.description
    tables = (
        ("Settings of the training", about.settings),
        ("Settings of the recording", {**_object(description, "settings"), **about.environment}),
        ("Versions and machine", {**_object(description, "versions"), **_object(description, "machine")}),
    )
    return section(
        "making",
        "Making",
        "How was this made, and how can it be made again?",
        element("pre", element("code", *map(_line, commands(about, recording)))),
        *(_table(title, content) for title, content in tables if content),
    )


def _line(words: list[str]) -> Html:
    parts = [element("span", word) for word in words]
    return element("span", *(join(part, " ") for part in parts[:-1]), parts[-1], "\n", class_="line")


def _object(content: dict[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _table(title: str, content: dict[str, Any]) -> Html:
    rows = [
        element("div", element("dt", name), element("dd", _value(value)))
        for name, value in content.items()
        if name not in ("run_root", "resume")
    ]
    return element("details", element("summary", title), element("dl", *rows, class_="settings"))


def _value(value: object) -> str:
    return "–" if value is None else f"{value:,}" if type(value) is int and abs(value) >= 10_000 else str(value)


def commands(about: About, recording: Recording) -> list[list[str]]:
    """Return the command lines that train the agent, record it and write this page, each as a list of words."""
    agent = about.name or "AGENT"
    found: list[list[str]] = []
    reproduce = (about.card or {}).get("reproduce")
    if isinstance(reproduce, str):
        found.append(_flags(shlex.split(reproduce)))
    elif about.imported_from is not None:
        words = ["semantic-rl", "import-original", about.imported_from, "--env", about.environment_id, "--out", agent]
        found.append(_flags(words))
    elif about.settings:
        agent = f"runs/{agent}"
        found.append(_training(about.settings))
    name = recording.path.resolve().name
    settings = _object(recording.description, "settings")
    if settings:
        default = to_dict(RecordConfig(agent=Path(), out=Path()))
        found.append(_command(["semantic-rl", "record", agent, f"--out {shlex.quote(name)}"], settings, default, ()))
    return [*found, ["semantic-rl", "report", name, "--out report.html"]]


def _flags(words: list[str]) -> list[str]:
    """Join flags with their values, so that no line break separates them."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("--") and " " not in joined[-1] and not word.startswith("--"):
            joined[-1] += f" {shlex.quote(word)}"
        else:
            joined.append(shlex.quote(word))
    return joined


def _training(settings: dict[str, Any]) -> list[str]:
    default = to_dict(TrainConfig())
    if settings.get("algorithm") == "ppo":
        default = to_dict(replace(TrainConfig(), algorithm="ppo"))
    return _command(["semantic-rl", "train"], settings, default, ALWAYS_SHOWN)


def _command(words: list[str], settings: dict[str, Any], default: dict[str, Any], always: tuple[str, ...]) -> list[str]:
    """Return a command with the flags `always` and those whose value is not the default."""
    told = dict.fromkeys(name for name in (*always, *settings) if name in settings and name in default)
    flags = [
        f"--{name.replace('_', '-')} {shlex.quote(str(settings[name]))}"
        for name in told
        if name not in OF_THE_MACHINE
        and settings[name] is not None
        and (name in always or settings[name] != default[name])
    ]
    return [*words, *flags]
