"""Every advice that is printed is true: it is provoked by a real mistake, and followed with success."""

from collections.abc import Callable
from pathlib import Path

import pytest

from semantic_rl.commands.parse import parse
from semantic_rl.errors import UserError

from ..test_flags import config_of
from . import cases_agents, cases_showing, cases_training
from .collect import Advice, all_advice
from .elsewhere import CHECKED, ELSEWHERE, REASONS, Reason
from .scene import Case, Scene

TESTS = Path(__file__).resolve().parent.parent
CASES = [*cases_agents.CASES, *cases_showing.CASES, *cases_training.CASES]
ADVICE = all_advice()
PARTS = [*(part for case in CASES for part in case.advice), *ELSEWHERE, *CHECKED, *REASONS]


def meant(part: str) -> list[Advice]:
    return [advice for advice in ADVICE if part in advice.text]


@pytest.fixture(scope="session")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("materials")


@pytest.fixture
def scene(tmp_path: Path, materials: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    import torch

    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    return Scene(tmp_path, materials)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[case.advice[0][-50:] for case in CASES])
def test_advice_that_is_followed_helps(case: Case, scene: Scene) -> None:
    said = case.provoke(scene)
    for part in case.advice:
        assert any(advice.is_said_in(said) for advice in meant(part)), f"{part} is not said: {said[-900:]!r}"
    case.follow(scene)


@pytest.mark.parametrize(("part", "reason"), REASONS.items(), ids=list(REASONS))
def test_a_flag_that_would_do_nothing_can_be_left_out(part: str, reason: Reason, scene: Scene) -> None:
    name, config, words = parsed(reason.command)
    with pytest.raises(UserError) as refusal:
        parse(config, [*words, *reason.flag.split()], name)
    assert any(advice.is_said_in(str(refusal.value)) for advice in meant(part)), str(refusal.value)
    parse(config, words, name)


def parsed(command: str) -> tuple[str, type, list[str]]:
    words = command.split()
    count = 2 if words[0] == "figures" else 1
    name = " ".join(words[:count])
    return name, config_of(name), words[count:]


@pytest.mark.parametrize(("part", "check"), CHECKED.items(), ids=list(CHECKED))
def test_what_is_to_be_installed_exists(part: str, check: Callable[[str], None]) -> None:
    for advice in meant(part):
        check(advice.text)


@pytest.mark.parametrize(("part", "test"), ELSEWHERE.items(), ids=list(ELSEWHERE))
def test_a_test_that_is_named_exists(part: str, test: str) -> None:
    file, _, name = test.partition("::")
    assert name
    assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")


def test_every_advice_has_a_case() -> None:
    known = PARTS
    new = [advice for advice in ADVICE if not any(part in advice.text for part in known)]
    assert not new, "no case provokes and follows:\n" + "\n".join(f"{one.where}: {one.text}" for one in new)


@pytest.mark.parametrize("part", PARTS)
def test_every_case_is_of_an_advice_that_there_is(part: str) -> None:
    assert meant(part)
