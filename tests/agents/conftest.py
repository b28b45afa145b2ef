"""What the tests of foreign agents share: each small model is trained once a session."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import pytest
import torch
from agents.foreign_models import MAKERS


class Trained(NamedTuple):
    """A small model, the zip that it saved, and an environment of its kind."""

    model: Any
    path: Path
    env: gym.Env[Any, Any]


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Compute on one thread: small networks gain nothing from more, and waiting threads keep others off the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trained]:
    """Return the function that trains a model by its name in MAKERS, or returns it if that was done."""
    done: dict[str, Trained] = {}
    folder = tmp_path_factory.mktemp("foreign")

    def train(name: str) -> Trained:
        if name not in done:
            maker = MAKERS[name]
            path = folder / f"{name}.zip"
            threads = torch.get_num_threads()
            torch.set_num_threads(1)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    model = maker.train(maker.env())
            finally:
                torch.set_num_threads(threads)
            model.save(path)
            done[name] = Trained(model, path, maker.env())
        return done[name]

    return train
