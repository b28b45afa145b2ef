"""Metrics of whole recordings: what is measured, of which states, against what, and what is said where it cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest

from semantic_rl import RecordingWriter
from semantic_rl.analysis.metrics import (
    Metrics,
    OtherAgent,
    compute_metrics,
    episode_rows,
    metric_rows,
    metrics_table,
    other_from_recording,
)
from semantic_rl.analysis.metrics.catalogue import CATALOGUE
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording, open_recording

from ..recording.synthetic import make_recording

AGREEMENT = {"agreement_ami", "agreement_procrustes"}
OF_A_PLANE = ("trustworthiness", "continuity", "neighbour_overlap", "silhouette_2d", "davies_bouldin_2d")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return make_recording(tmp_path_factory.mktemp("recordings") / "r", num_episodes=12)


@pytest.fixture(scope="module")
def metrics(recording: Recording) -> Metrics:
    return compute_metrics(recording, baselines=True, num_resamples=200, perplexity=15, num_threads=1)


def value(metrics: Metrics, name: str, method: str = "fdr") -> float:
    found = metrics.estimate(name, method).value
    assert found is not None
    return found


def other_agent(recording: Recording, **changes: object) -> OtherAgent:
    """The same agent, looking at the same states."""
    rows = np.arange(recording.num_states)
    return other_from_recording(recording, recording, rows)._replace(**changes)  # type: ignore[arg-type]


def test_every_metric_is_there_with_an_interval_around_it(metrics: Metrics) -> None:
    assert [metric.info for metric in metrics.metrics] == [info for info in CATALOGUE if info.name not in AGREEMENT]
    assert [method.key for method in metrics.methods] == ["fdr", "kmeans", "tsne", "pca"]
    for metric in metrics.metrics:
        has_plane = not metric.info.name.startswith(OF_A_PLANE)
        assert set(metric.estimates) == {"fdr", "tsne", "pca", *(["kmeans"] if has_plane else [])}
        for estimate in metric.estimates.values():
            assert estimate.note is None
            assert None not in estimate[:3]
            assert estimate.low <= estimate.value <= estimate.high  # type: ignore[operator]
            low, high = metric.info.range
            assert low is None or estimate.low >= low  # type: ignore[operator]
            assert high is None or estimate.high <= high  # type: ignore[operator]


def test_figures_are_what_is_known_of_the_recording(metrics: Metrics, recording: Recording) -> None:
    # Features are a linear map of the plane; clusters last ten steps, tell the value, and are in every level.
    assert value(metrics, "trustworthiness_10") > 0.9
    assert value(metrics, "clusters_in_use") == 4
    assert 3.5 < value(metrics, "perplexity") <= 4
    assert 6 < value(metrics, "dwell") < 14
    assert value(metrics, "self_transition") == pytest.approx(0.9, abs=0.04)
    assert value(metrics, "self_transition_shuffled") < 0.5
    assert value(metrics, "ami_value") > 0.5
    assert value(metrics, "ami_level") < 0.3
    for key in ("kmeans", "tsne", "pca"):
        assert value(metrics, "silhouette_features", key) > 0.3


def test_what_was_measured_of_what_is_said(metrics: Metrics, recording: Recording) -> None:
    content = metrics.to_json()
    assert content["format"] == "semantic-rl metrics"
    assert content["version"] == 1
    assert content["recording"]["agent"]["sha256"] == recording.description["agent"]["sha256"]
    assert len(content["recording"]["states_sha256"]) == 64
    assert content["sample"] | {"seed": 0} == content["sample"]
    assert content["sample"]["states"] == recording.num_states
    assert content["bootstrap"]["resamples"] == 200
    assert content["bootstrap"]["unit"] == "episode"
    assert content["settings"]["clusters_of_baselines"] == 4
    first = content["metrics"][0]
    assert first["name"] == "trustworthiness_10"
    assert first["direction"] == "higher"
    assert set(first["values"]["fdr"]) == {"value", "low", "high", "note"}
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_the_same_seed_measures_the_same_and_another_one_draws_otherwise(tmp_path: Path) -> None:
    short = make_recording(tmp_path / "r", num_episodes=4)
    first, again, other = (compute_metrics(short, num_resamples=100, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first.estimate("dwell").value == other.estimate("dwell").value
    assert first.estimate("dwell").low != other.estimate("dwell").low


def test_rows_ask_in_words_and_stand_in_the_order_of_the_methods(metrics: Metrics) -> None:
    rows = metric_rows(metrics)
    assert len(rows) == len(metrics.metrics)
    for row, metric in zip(rows, metrics.metrics, strict=True):
        assert row.question
        assert row.estimate == metric.estimates["fdr"]
        assert row.baselines == [metric.estimates.get(key) for key in ("kmeans", "tsne", "pca")]
    assert {row.direction for row in rows} == {"higher is better", "lower is better", ""}
    groups = [row.group for row in rows]
    assert len(set(groups)) == sum(before != after for before, after in zip(["", *groups], groups, strict=False))


def test_the_table_has_a_line_for_each_metric(metrics: Metrics, recording: Recording) -> None:
    table = metrics_table(metrics)
    assert table.split("\n")[0].split() == ["FDR", "k-means", "t-SNE", "PCA"]
    for metric in metrics.metrics:
        assert metric.info.title in table
        assert metric.estimates["fdr"].text() in table
    assert f"{recording.num_states} states in 12 episodes of 12 levels." in table
    assert "95% bootstrap interval over episodes" in table
    assert "rough" not in table


def test_a_sample_is_of_whole_episodes(recording: Recording) -> None:
    found = compute_metrics(recording, max_states=250, num_resamples=100)
    rows = episode_rows(recording, 250, 0)
    assert found.sample["states"] == len(rows) <= 250
    episodes = recording.states[rows]["episode"].unique()
    assert found.sample["episodes"] == len(episodes) > 3
    whole = recording.episodes.filter(recording.episodes["episode"].is_in(episodes.to_list()))
    assert whole["num_rows"].sum() == len(rows)
    assert (np.diff(rows) > 0).all()
    assert not np.array_equal(rows, episode_rows(recording, 250, 1))
    assert f"{len(rows)} states of {recording.num_states} in" in metrics_table(found)


def test_a_sample_smaller_than_an_episode_is_a_user_error(recording: Recording) -> None:
    with pytest.raises(UserError, match=r"max_states: 20 is less than one episode.*--max-states 5\d or more"):
        episode_rows(recording, 20, 0)


def test_progress_says_what_is_computed_and_comes_to_its_end(recording: Recording) -> None:
    steps: list[tuple[str, int, int]] = []
    compute_metrics(recording, num_resamples=100, on_progress=lambda *step: steps.append(step))
    assert {what for what, _, _ in steps} >= {"reading states", "comparing neighbourhoods", "comparing clusters"}
    assert steps[-1][1] == steps[-1][2]


def test_an_agent_without_clusters_is_measured_by_its_features(tmp_path: Path) -> None:
    plain = make_recording(tmp_path / "r", num_codes=0, num_episodes=6)
    found = compute_metrics(plain, num_resamples=100)
    assert [method.key for method in found.methods] == ["kmeans"]
    assert found.methods[0].num_clusters == 8
    names = {metric.info.name for metric in found.metrics}
    assert {"silhouette_features", "dwell", "ami_action", "perplexity"} <= names
    assert "trustworthiness_10" not in names
    assert {omission.what for omission in found.omitted} == {"FDR plane and its clusters", "figures of a plane"}
    assert "Not measured: FDR plane and its clusters: the agent has no semantic" in metrics_table(found)
    few = make_recording(tmp_path / "few", num_codes=0, num_episodes=3)
    with_planes = compute_metrics(few, baselines=True, num_resamples=100, perplexity=10, num_threads=1)
    assert [method.key for method in with_planes.methods] == ["kmeans", "tsne", "pca"]
    assert with_planes.metrics[0].info.name == "trustworthiness_10"
    assert metric_rows(with_planes)[0].estimate is None


def test_a_ppo_agents_features_are_clustered_in_its_own_states(recording: Recording, tmp_path: Path) -> None:
    plain = make_recording(tmp_path / "ppo", num_codes=0, num_episodes=5, seed=3)
    found = compute_metrics(recording, ppo=plain, num_resamples=100)
    assert [method.key for method in found.methods] == ["fdr", "ppo"]
    assert found.methods[1].num_states == plain.num_states
    assert found.methods[1].num_clusters == 4
    assert found.estimate("clusters_in_use", "ppo").value == 4
    alone = compute_metrics(plain, num_clusters=4, num_resamples=100)
    assert found.estimate("ami_value", "ppo") == alone.estimate("ami_value")
    assert found.to_json()["settings"]["ppo"]["states"] == plain.num_states


def test_only_a_ppo_recording_of_the_same_game_is_compared_with(recording: Recording, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="with the semantic clustering module; expected a recording of a PPO agent"):
        compute_metrics(recording, ppo=recording)
    path = make_recording(tmp_path / "ppo", num_codes=0, num_episodes=5).path / "recording.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"env": "coinrun"', '"env": "ninja"'), encoding="utf-8")
    plain = open_recording(path.parent)
    with pytest.raises(UserError, match=r"of ninja \(easy\).*of coinrun \(easy\); expected the same game"):
        compute_metrics(recording, ppo=plain)


def test_an_agent_agrees_with_itself(tmp_path: Path) -> None:
    short = make_recording(tmp_path / "r", num_episodes=3)
    found = compute_metrics(
        short, against=other_agent(short), baselines=True, num_resamples=100, perplexity=10, num_threads=1
    )
    for key in ("fdr", "kmeans", "tsne", "pca"):
        assert value(found, "agreement_ami", key) == pytest.approx(1)
    for key in ("fdr", "tsne", "pca"):
        assert value(found, "agreement_procrustes", key) == pytest.approx(0, abs=1e-9)
    assert found.to_json()["settings"]["against"]["agent_sha256"] == short.description["agent"]["sha256"]


def test_names_of_clusters_and_the_way_the_plane_lies_do_not_matter_but_what_is_together_does(
    recording: Recording,
) -> None:
    same = other_agent(recording)
    assert same.code_index is not None
    assert same.embedding is not None
    renamed = same._replace(code_index=(same.code_index + 1) % 4, embedding=-5 * same.embedding[:, ::-1] + 1)
    found = compute_metrics(recording, against=renamed, num_resamples=100)
    assert value(found, "agreement_ami") == pytest.approx(1)
    assert value(found, "agreement_procrustes") == pytest.approx(0, abs=1e-6)
    order = np.random.default_rng(0).permutation(recording.num_states)
    mixed = same._replace(code_index=same.code_index[order], embedding=same.embedding[order])
    found = compute_metrics(recording, against=mixed, num_resamples=100)
    assert value(found, "agreement_ami") == pytest.approx(0, abs=0.03)
    assert value(found, "agreement_procrustes") > 0.9


def test_agreement_with_an_agent_without_clusters_is_left_out_by_name(recording: Recording) -> None:
    found = compute_metrics(
        recording, against=other_agent(recording, code_index=None, embedding=None), num_resamples=100
    )
    assert not AGREEMENT & {metric.info.name for metric in found.metrics}
    assert found.omitted[-1].what == "agreement of FDR planes and clusters"


def test_agreement_needs_observations_since_else_the_states_may_be_others(tmp_path: Path) -> None:
    made: list[Recording] = []
    for name in "ab":
        with RecordingWriter(tmp_path / name, "CartPole-v1") as writer:
            features = np.random.default_rng(len(made)).normal(size=(20, 4))
            writer.add_episode(features=features, terminated=True)
        made.append(open_recording(tmp_path / name))
    with pytest.raises(UserError, match="a has no observations, so it is not known whether both"):
        other_from_recording(*made, np.arange(20))


def test_agreement_is_over_the_states_that_are_measured(recording: Recording) -> None:
    with pytest.raises(UserError, match="was shown other states"):
        compute_metrics(recording, against=other_agent(recording), max_states=300)


def test_a_recording_of_other_states_is_refused_and_the_way_out_named(recording: Recording, tmp_path: Path) -> None:
    rows = np.arange(20)
    shorter = make_recording(tmp_path / "shorter", num_episodes=3)
    with pytest.raises(UserError, match=r"of other states.*\(\d+ states, not \d+\); give the agent itself"):
        other_from_recording(recording, shorter, rows)
    colours = make_recording(tmp_path / "colours", num_episodes=12, num_codes=4)
    colours.observation_parts = lambda row: {"": recording.observation(row) ^ np.uint8(row == 7)}  # type: ignore[method-assign]
    with pytest.raises(UserError, match="another observation in row 7"):
        other_from_recording(recording, colours, rows)


def test_a_single_cluster_in_use_has_no_separation_and_the_reason_is_in_the_file(tmp_path: Path) -> None:
    one = make_recording(tmp_path / "r", num_codes=1, num_unused=3, num_episodes=6)
    found = compute_metrics(one, num_resamples=100)
    for name in ("silhouette_2d", "silhouette_features", "davies_bouldin_2d", "ami_action", "ami_level"):
        assert found.estimate(name) == (None, None, None, "one cluster holds all states")
    assert found.estimate("clusters_in_use").value == 1
    assert found.estimate("perplexity").value == 1
    assert found.methods[0].num_clusters == 4
    content = {metric["name"]: metric for metric in found.to_json()["metrics"]}
    assert content["silhouette_2d"]["values"]["fdr"]["value"] is None
    assert content["silhouette_2d"]["values"]["fdr"]["note"] == "one cluster holds all states"
    assert "Silhouette, plane (FDR): one cluster holds all states." in metrics_table(found)


def test_an_empty_cluster_is_not_in_use(tmp_path: Path) -> None:
    found = compute_metrics(make_recording(tmp_path / "r", num_unused=2, num_episodes=6), num_resamples=100)
    assert found.estimate("clusters_in_use").value == 4
    assert found.methods[0].num_clusters == 6
    assert found.estimate("silhouette_2d").value is not None


def test_one_episode_is_measured_without_intervals(tmp_path: Path) -> None:
    alone = make_recording(tmp_path / "r", num_episodes=1)
    found = compute_metrics(alone, num_resamples=100)
    assert found.bootstrap["note"] == "one episode only, so there is no interval"
    for metric in found.metrics:
        for estimate in metric.estimates.values():
            assert estimate.low is None
            assert estimate.note is not None
    assert found.estimate("ami_level").note == "all states are of one level"
    assert found.estimate("trustworthiness_30").note == f"needs more than 60 states, and there are {alone.num_states}"
    assert "One episode only, so there is no interval." in metrics_table(found)


def test_too_few_states_for_k_without_some_episode_have_no_interval(tmp_path: Path) -> None:
    found = compute_metrics(make_recording(tmp_path / "r", num_episodes=2), num_resamples=100)
    assert found.estimate("trustworthiness_10").low is not None
    assert found.estimate("trustworthiness_30").value is not None
    assert found.estimate("trustworthiness_30").low is None
    assert "They are rough: 2 episodes" in metrics_table(found)


def test_baselines_that_need_more_states_are_left_out_by_name(tmp_path: Path) -> None:
    short = make_recording(tmp_path / "r", num_episodes=1)
    found = compute_metrics(short, baselines=True, num_resamples=100)
    assert [method.key for method in found.methods] == ["fdr", "kmeans", "pca"]
    assert found.omitted[0].what == "t-SNE"
    assert "perplexity: 30 needs at least 91 states" in found.omitted[0].why
    found = compute_metrics(short, baselines=True, num_clusters=200, num_resamples=100)
    assert [method.key for method in found.methods] == ["fdr"]
    assert found.omitted[0] == ("all baselines", f"200 clusters need as many states, and there are {short.num_states}")


def test_nothing_to_measure_is_a_user_error(tmp_path: Path) -> None:
    plain = make_recording(tmp_path / "r", num_codes=0, num_episodes=1)
    with pytest.raises(UserError, match="nothing to measure: 200 clusters need as many states"):
        compute_metrics(plain, num_clusters=200)
