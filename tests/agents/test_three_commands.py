"""The README's three commands, on a zip of Stable-Baselines3: play it, fit clusters, look at them in every way."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import semantic_rl
from semantic_rl.cli import main
from semantic_rl.recording.store import Recording, open_recording


def run(command: str) -> None:
    main(command.split())


@pytest.fixture(scope="module")
def fitted(trained: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A recording of PPO on CartPole, with pictures and three clusters."""
    out = tmp_path_factory.mktemp("recordings") / "pole"
    run(f"record {trained('ppo').path} --env CartPole-v1 --states 400 --num-envs 4 --frame-size 96 --out {out}")
    run(f"fit {out} --codes 3 --steps 300 --no-baselines")
    return open_recording(out)


def test_the_recording_is_the_agent_s(fitted: Recording, trained: Callable[[str], Any]) -> None:
    model = trained("ppo").model
    observation = np.stack([fitted.observation(row) for row in range(40)])
    value = model.policy.predict_values(model.policy.obs_to_tensor(observation)[0]).detach().numpy()[:, 0]
    np.testing.assert_allclose(fitted.table("value")["value"].to_numpy()[:40], value, atol=1e-5)
    assert fitted.description["agent"]["algorithm"] == "PPO"
    assert str(trained("ppo").path.parent) not in (fitted.path / "recording.json").read_text(encoding="utf-8")


def test_every_state_has_a_cluster_and_new_states_fall_into_the_same_plane(fitted: Recording) -> None:
    assert fitted.num_codes == 3
    code_index = fitted.table("code_index")["code_index"].to_numpy()
    assert set(code_index) == {0, 1, 2}
    clustering = fitted.clustering(str(fitted.clustering_name))
    embedding, again = clustering.place(fitted.features())
    np.testing.assert_array_equal(again, code_index)
    stored = fitted.table("embedding_x", "embedding_y").to_numpy()
    np.testing.assert_allclose(embedding, stored, atol=1e-4)


@pytest.mark.parametrize("figure", ["embeddings", "clusters", "transitions"])
def test_figures(fitted: Recording, figure: str, tmp_path: Path) -> None:
    run(f"figures {figure} {fitted.path} --out {tmp_path}")
    written = next(tmp_path.glob("*.svg")).read_text(encoding="utf-8")
    assert "CartPole" in written or (tmp_path / f"{figure}.png").stat().st_size > 20_000


def test_clips_have_the_environment_s_proportions(fitted: Recording, tmp_path: Path) -> None:
    from PIL import Image

    run(f"clips {fitted.path} --out {tmp_path / 'clips'} --video-size 0 --animation-size 96 --min-shot 2 --frames 20")
    clips = json.loads((tmp_path / "clips" / "clips.json").read_text(encoding="utf-8"))["clips"]
    shown = [clip["animation"] for clip in clips if clip["animation"]]
    assert shown, "at least one cluster is long enough"
    with Image.open(tmp_path / "clips" / shown[0]) as image:
        assert image.size == (96, 64)


def test_report_export_and_metrics_say_that_the_plane_did_not_shape_the_agent(
    fitted: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(f"report {fitted.path} --out {tmp_path / 'r.html'}")
    run(f"explore {fitted.path} --export {tmp_path / 'e.html'}")
    run(f"metrics {fitted.path} --resamples 100")
    assert capsys.readouterr().err.count("did not shape") >= 2
    metrics = json.loads((fitted.path / "derived" / "metrics-mlp-3.json").read_text(encoding="utf-8"))
    assert metrics["methods"][0]["about"].startswith("the plane that was fitted afterwards for the clustering 'mlp-3'")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "CartPole-v1" in page
    assert not re.search(r"success|unknown mode|None", re.sub(r"data:[^\"]*|<style.*?</style>", "", page, flags=re.S))
    assert (tmp_path / "e.html").stat().st_size > 100_000, "the page and the frames of its states"


def test_python_does_the_same_in_five_lines(trained: Callable[[str], Any], tmp_path: Path) -> None:
    agent = semantic_rl.open_agent(trained("ppo").path, env="CartPole-v1")
    recording = semantic_rl.record(agent, "CartPole-v1", tmp_path / "r", num_states=300, num_envs=4, frame_size=0)
    clustering = semantic_rl.fit(recording, num_codes=4, steps=200, baselines=False)
    embedding, code_index = clustering.place(recording.features())
    assert embedding.shape == (recording.num_states, 2)
    assert set(code_index) <= set(range(4))
