"""Clusters that were never trained are called so by whatever shows them, with a way out that works."""

import json
from pathlib import Path
from typing import Any

import pytest
from recording.synthetic import make_recording
from small_runs import small_arguments

from semantic_rl.cli import main
from semantic_rl.control_factor import recorded_note, untrained_note, was_ever_above_zero
from semantic_rl.figures.embeddings import caption
from semantic_rl.recording.store import open_recording
from semantic_rl.training.checkpoint import find_checkpoint, read_state

RUN = "sppo-starpilot_easy_0_0_2021"
UNTRAINED: dict[str, Any] = {"semantic_weight_was_above_zero": False, "update": 20}
NOTE = "The clusters and the plane were never trained, since the control factor λ was 0 in all 20 updates"


def state(weight: object = 0.0, update: object = 20, **more: object) -> dict[str, Any]:
    settings = {"algorithm": "sppo", "semantic_interval": 50, **more.pop("config", {})}  # type: ignore[dict-item]
    return {"semantic_weight": weight, "update": update, "config": settings, **more}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (state(), False),
        (state(0.3), True),
        (state(update=49), False),
        (state(update=50), None),
        (state(update=500, semantic_updates=0), False),
        (state(update=500, semantic_updates=3), True),
        (state(update=500, semantic_updates=None), None),
        (state(config={"algorithm": "ppo"}), None),
        (state(update=0, imported_from={"file": "x"}), None),
        (state(update=0), None),
        (state(weight=None), None),
        (state(weight="0", update="20"), None),
        (state(update=True), None),
        ({}, None),
        ({"config": [], "semantic_weight": 0, "update": 2}, None),
    ],
)
def test_a_checkpoint_says_what_it_knows_of_the_control_factor(
    tmp_path: Path, content: dict[str, Any], expected: bool | None
) -> None:
    """Before the first interval it was 0 for certain; an old checkpoint of later does not say what was before."""
    assert was_ever_above_zero(tmp_path / "run" / "checkpoints" / "update-000020", content) is expected


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("weights", "expected"),
    [([0] * 60, False), ([0, 0.5, *[0] * 58], True), ([0] * 59, None), ([*[0] * 60, 0.5], False), ([], None)],
)
def test_the_log_tells_of_an_old_checkpoint_up_to_its_update(
    tmp_path: Path, weights: list[float], expected: bool | None, packed: bool
) -> None:
    rows = "".join(f"{update},{weight}\n" for update, weight in enumerate(weights, 1))
    (tmp_path / "progress.csv").write_text(f"misc/nupdates,semantic/weight\n{rows}")
    checkpoint = tmp_path if packed else tmp_path / "checkpoints" / "update-000060"
    assert was_ever_above_zero(checkpoint, state(update=60)) is expected


def test_a_recording_that_does_not_say_it_is_not_accused() -> None:
    for description in ({}, {"agent": None}, {"agent": {"semantic_weight": 0.0}}):
        assert recorded_note(description) is None
    for known in (True, None, 0):
        assert recorded_note({"agent": {"semantic_weight_was_above_zero": known}}) is None
    assert recorded_note({"agent": UNTRAINED}) == untrained_note(20)
    assert "in every update of this agent" in untrained_note(1)


@pytest.mark.parametrize("untrained", [False, True])
def test_figures_clips_and_metrics_say_it_on_stderr_and_figures_in_their_captions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], untrained: bool
) -> None:
    recording = make_recording(tmp_path / "r", picture_size=64, **(UNTRAINED if untrained else {}))
    assert ("untrained clusters (λ was 0)" in caption(recording, recording.num_states)) is untrained
    for command in (
        ["figures", "embeddings", "--num-threads", "1"],
        ["figures", "clusters"],
        ["figures", "transitions"],
        ["metrics", "--num-threads", "1"],
        ["clips", "--all-episodes", "--frames", "30", "--video-size", "0"],
    ):
        words = [word for word in command if not word.startswith("-")]
        count = 2 if command[0] == "figures" else 1
        out = tmp_path / ("m.json" if command[0] == "metrics" else words[-1] if count == 2 else "clips")
        main([*command[:count], str(recording.path), "--out", str(out), *command[count:]])
        assert (NOTE in capsys.readouterr().err) is untrained, command


def test_an_agent_without_clusters_is_not_said_to_have_untrained_ones(tmp_path: Path) -> None:
    assert make_recording(tmp_path / "r", num_codes=0, **UNTRAINED).untrained_note is None


def test_the_way_out_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Train too little and record: both say it. Train on, as they advise, and record: neither does."""
    env = ("--env", "starpilot")
    small = ["--frame-size", "0", "--num-envs", "2", "--states", "60", "--num-threads", "1", "--precision", "fp32"]
    main(["train", *small_arguments(tmp_path, 1, *env)])
    assert "λ was 0 in every update of this agent: train on, with --resume" in capsys.readouterr().err
    run = tmp_path / RUN
    assert read_state(run)["semantic_updates"] == 0
    main(["record", str(run), "--out", str(tmp_path / "untrained"), *small])
    assert "λ was 0 in every update of this agent" in capsys.readouterr().err

    main(["train", *small_arguments(tmp_path, 7, *env, "--resume")])
    said = capsys.readouterr().err
    found = read_state(run)
    assert found["semantic_updates"] > 0, "an episode of StarPilot with a return above 0 ends within 7 updates"
    assert "never trained" not in said
    main(["record", str(run), "--out", str(tmp_path / "trained"), *small])
    assert "never trained" not in capsys.readouterr().err
    agent = open_recording(tmp_path / "trained").description["agent"]
    assert (agent["update"], agent["semantic_weight_was_above_zero"]) == (7, True)
    assert agent["semantic_weight"] == found["semantic_weight"]


def test_a_run_that_was_begun_before_the_count_goes_on_with_what_is_known(tmp_path: Path) -> None:
    main(["train", *small_arguments(tmp_path, 1)])
    folder = find_checkpoint(tmp_path / "sppo-coinrun_easy_0_0_2021")
    content = json.loads((folder / "state.json").read_text())
    del content["semantic_updates"]
    (folder / "state.json").write_text(json.dumps(content))
    main(["train", *small_arguments(tmp_path, 2, "--resume")])
    assert read_state(tmp_path / "sppo-coinrun_easy_0_0_2021")["semantic_updates"] in (None, 1)


def test_losses_without_weight_train_nothing_either(tmp_path: Path) -> None:
    trained = {"semantic_weight_was_above_zero": True, "config": {"fdr_coef": 0.0, "vq_coef": 0.0}}
    recording = make_recording(tmp_path / "r", num_episodes=3, **trained)
    assert "their losses had no weight" in str(recording.untrained_note)
    assert caption(recording, recording.num_states).endswith("untrained clusters")
    one = make_recording(tmp_path / "one", num_episodes=3, **{**trained, "config": {"fdr_coef": 0.0, "vq_coef": 1.0}})
    assert one.untrained_note is None
