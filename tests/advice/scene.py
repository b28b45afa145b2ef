"""A working folder in which advice is provoked and followed by real commands, and what they are given."""

import io
import re
import resource
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from semantic_rl.cli import main

SMALL_FIT = "--steps 120 --no-baselines --num-threads 1"
FILE = """
import gymnasium, torch, semantic_rl
from torch import nn

class Named(nn.Module):
    def forward(self, x):
        return {"x": x}

class Unusual(nn.Module):
    def __init__(self):
        super().__init__()
        self.named, self.head = Named(), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.named(x)["x"])

def module():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))

def unusual():
    return Unusual()

def agent():
    return semantic_rl.module_agent(module(), layer="1", env="CartPole-v1")

class Endless(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (4,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 0.0, False, False, {}

def endless():
    return Endless()

class Failing(gymnasium.Wrapper):
    def step(self, action):
        *rest, info = self.env.step(action)
        return *rest, {**info, "is_success": False}

def failing(render_mode=None):
    return Failing(gymnasium.make("CartPole-v1", render_mode=render_mode))
"""


class Scene:
    """A working folder, empty at first. Materials are made once for all scenes, and copied."""

    def __init__(self, folder: Path, materials: Path) -> None:
        self.folder = folder
        self._materials = materials

    def said(self, command: str) -> str:
        """Run a command line of semantic-rl and return all that it says, however it ends."""
        return self._run(command)[1]

    def refused(self, command: str) -> str:
        """Run one that must be refused in one line; return that line."""
        code, said = self._run(command)
        assert code == 2, f"{command}: expected a refusal, got {code}: {said[-500:]}"
        return said

    def works(self, command: str) -> str:
        """Run one that must succeed; return what it says."""
        code, said = self._run(command)
        assert code == 0, f"{command}: {said[-700:]}"
        return said

    def _run(self, command: str) -> tuple[int, str]:
        words = shlex.split(command)
        written = io.StringIO()
        code = 0
        with redirect_stdout(written), redirect_stderr(written):
            try:
                main(words[1:] if words[0] == "semantic-rl" else words)
            except SystemExit as leaving:
                code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        return code, written.getvalue()

    def have(self, *names: str) -> None:
        """Copy materials into the folder: those that `MAKERS` names, made at their first use."""
        for name in names:
            source = self._materials / name
            if not source.exists():
                MAKERS[name](source)
            to = self.folder / name
            shutil.copytree(source, to) if source.is_dir() else shutil.copyfile(source, to)

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let no file grow above some bytes, as on a full disk."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    def on_a_full_disk(self, command: str) -> str:
        """Run a command that must be refused there; return what it says."""
        with self.full_disk():
            return self.refused(command)


def quoted(said: str, start: str) -> str:
    """Return the command that a message quotes, from `start` to its end."""
    return re.split(r"[';]|\.(?:\s|$)|\n", said[said.index(start) :])[0].strip()


class Case(NamedTuple):
    """How an advice is provoked, and how it is followed with success."""

    advice: tuple[str, ...]
    """A part of each text that is provoked, by which it is known among all."""
    provoke: Callable[[Scene], str]
    """Returns what was said, which holds the advice."""
    follow: Callable[[Scene], object]
    """Does what the advice says; fails where that does not help."""


def _recording(path: Path) -> None:
    from ..recording.synthetic import make_recording

    make_recording(path, num_episodes=6, picture_size=64)


def _ppo(path: Path) -> None:
    from ..recording.degenerate import make

    make(path, [30] * 4, with_codes=False)


def _other(path: Path) -> None:
    from ..recording.degenerate import make

    make(path, [20] * 4, with_codes=False)


def _runs(path: Path) -> None:
    from semantic_rl.training.train import train

    from ..small_runs import small_config

    train(small_config(path, 2, checkpoint_interval=1))


def _file(path: Path) -> None:
    path.write_text(FILE, encoding="utf-8")


def _zip(path: Path) -> None:
    import warnings

    from ..agents.foreign_models import MAKERS as MODELS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MODELS["ppo"].train(MODELS["ppo"].env()).save(path)


def _poles(path: Path) -> None:
    """A recording of CartPole without pictures."""
    import semantic_rl

    from ..recording.test_other_agents import cartpole

    semantic_rl.record(cartpole(), "CartPole-v1", path, 60, num_envs=2, frame_size=0)


def _scored(path: Path) -> None:
    from ..progress_files import write_run

    write_run(path, "sppo-coinrun_easy_0_0_1", range(20))


MAKERS: dict[str, Callable[[Path], None]] = {
    "rec": _recording, "ppo": _ppo, "other": _other, "runs": _runs, "mine.py": _file, "ppo.zip": _zip, "poles": _poles,
    "scored": _scored,
}  # fmt: skip
"""Materials by name."""
RUN = "runs/sppo-coinrun_easy_0_0_2021"
