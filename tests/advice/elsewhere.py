"""Advice that other tests provoke and follow, that gives the reason of a refusal, or of which a part can be checked."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


class Reason(NamedTuple):
    """A command line that is refused because a flag of it would do nothing; the advice is to leave that flag out."""

    command: str
    flag: str
    """With its value."""


REASONS: dict[str, Reason] = {
    "--all-episodes takes every episode": Reason("clips r --out c --all-episodes", "--success-fraction 0.5"),
    "--animation-size 0 makes no animated": Reason("clips r --out c --animation-size 0", "--animation-frames 9"),
    " draws nothing at random": Reason("figures curves --run-root r --out f --interval range", "--seed 3"),
    "one recording with --export": Reason("explore r --export e.html", "other"),
    "only --export writes a file": Reason("explore r", "--frames 9"),
    "--export writes a file and serves": Reason("explore r --export e.html", "--port 9000"),
    "--head linear compares": Reason("fit r --head linear", "--neighbours 9"),
    "--head mlp takes nearest": Reason("fit r", "--feature-dof 9"),
    "--labels says which clusters": Reason("fit r --labels l.csv", "--method kmeans"),
    "only --apply takes a clustering": Reason("fit r", "--clustering x"),
    "--apply fits nothing": Reason("fit r --apply o", "--codes 5"),
    "only --baselines computes": Reason("metrics r", "--perplexity 9"),
    "only --against runs": Reason("metrics r", "--device cpu"),
    "--protocol episodes plays whole": Reason("record a --out o", "--explore-steps 9"),
    "--metrics gives a file": Reason("report r --out r.html --metrics m.json", "--no-baselines"),
    "--algorithm ppo has no semantic": Reason("train --algorithm ppo", "--num-codes 5"),
    "--algorithms ppo has no semantic": Reason("reproduce --algorithms ppo", "--num-codes 5"),
    "; --num-levels 1 is one level alone": Reason("train --num-levels 0", "--start-level 5"),
    "--device cpu has no CUDA graphs": Reason("train --device cpu", "--no-cuda-graphs"),
    "--resume continues the run already": Reason("train --resume", "--auto-resume"),
}
"""By a part of the reason."""


def _extras_exist(text: str) -> None:
    """Check an advice to install an extra; those that are filled in come from the tables of families and wrappers."""
    from semantic_rl.envs.gymnasium import ids, wrappers

    found = re.findall(r"(?:semantic-rl|\.)\[([a-z0-9]+)\]", text)
    if not found:
        source = Path(wrappers.__file__).read_text(encoding="utf-8")
        found = [family.extra for family in ids.FAMILIES] + re.findall(r'_from\("[\w.]+", "(\w+)"', source)
    assert found
    assert set(found) <= set(EXTRAS)


def _games_are_those_of_the_project(text: str) -> None:
    wanted = re.search(r"procgen-gym[^']*", text)
    assert wanted is None or any(wanted[0].replace(" ", "") in one.replace(" ", "") for one in PROJECT["dependencies"])


def _packages_are_known(text: str) -> None:
    from importlib.metadata import metadata

    from semantic_rl.envs.gymnasium.ids import INSTALLED_BY

    extras = {"semantic-rl": set(EXTRAS), "gymnasium": set(metadata("gymnasium").get_all("Provides-Extra") or ())}
    for name in INSTALLED_BY.values():
        package, _, extra = name.rstrip("]").partition("[")
        assert extra in extras[package]


CHECKED: dict[str, Callable[[str], None]] = {
    "two packages that are not installed": _extras_exist,
    "wrap: 'atari' needs OpenCV": _extras_exist,
    "which is not installed: pip install 'semantic-rl[": _extras_exist,
    "needs PyYAML": _extras_exist,
    "' needs OpenCV: pip": _extras_exist,
    "wrap: • needs •: pip": _extras_exist,
    "ray: Ray is not installed here": _extras_exist,
    "a package that it needs is not installed: pip": _packages_are_known,
    ": pip install 'procgen-gym": _games_are_those_of_the_project,
    "it is available only for CPython 3.13": _games_are_those_of_the_project,
}
"""What cannot be followed here, because it installs packages: what is to be installed must exist."""

ELSEWHERE: dict[str, str] = {
    "cannot write clips to •: •; choose another --out.":
        "clips/test_make.py::test_mistakes_are_one_line",
    "expected an agent made by 'semantic-rl pack'.": "agents/test_agents.py::test_foreign_and_newer_cards_are_refused",
    "fit to what the agent saw with --features observation.":
        "clustering/test_fit.py::test_observations_can_be_clustered_without_an_agents_features",
    "of its own; the map is t-SNE or PCA": "clustering/test_store.py::test_an_unknown_clustering_names_the_nearest",
    "so it has no clusters of its own; 'semantic-rl fit' makes some.":
        "report/test_report.py::test_an_agent_without_clusters_has_the_rest_and_says_what_is_absent",
    "left them out); use observations.":
        "recording/test_other_agents.py::test_pictures_keep_the_environment_s_proportions",
    "is not beside it; give its run folder with --run.":
        "report/test_report.py::test_the_run_is_found_from_the_recording_and_only_if_it_holds_the_recorded_agent",
    "are not opened; name the environment that it plays with --env.":
        "agents/test_sb3_zip.py::test_without_an_environment_layers_can_be_listed_where_the_spaces_are_described",
    "--trust opens it as Stable-Baselines3 itself does":
        "agents/test_sb3_zip.py::test_a_part_of_the_users_own_is_refused_by_name_and_opens_if_it_is_trusted",
    "--against compares two agents with the module.":
        "analysis/test_metrics_command.py::test_every_option_of_the_command_reaches_the_measuring",
    "(the same command) (?:and|with) --resume": "test_called_flags.py::test_the_demo_has_no_resume_and_is_told_so",
    "remove it, and make it anew with 'semantic-rl metrics'.":
        "advice/test_advice.py::test_advice_that_is_followed_helps",
    "Explore the states: semantic-rl explore": "test_demo.py::test_it_makes_everything_once_and_keeps_what_is_finished",
    "--frame-size 0 records without pictures":
        "envs/gymnasium/test_make.py::test_an_environment_without_pictures_is_refused_only_where_they_are_wanted",
    "name the wrappers with --wrap, or move the folder away.":
        "envs/gymnasium/test_rl_zoo.py::test_nothing_is_executed_and_a_damaged_file_ends_in_one_line",
    "name the file with --vec-normalize.":
        "envs/gymnasium/test_rl_zoo.py::test_statistics_that_are_missing_are_asked_for",
    "which is not known here; name wrappers with --wrap":
        "envs/gymnasium/test_rl_zoo.py::test_an_unknown_wrapper_is_named_with_the_way_out",
    "this page needs the token: open the address":
        "explorer/test_run.py::test_on_another_address_a_token_is_printed_and_needed",
    "is free or may be used; give another --port.": "explorer/test_run.py::test_no_free_port_is_said",
    "is not complete. Continue with the same command and --resume.":
        "recording/test_other_agents.py::test_an_interrupted_recording_goes_on",
    "the same command with --resume continues":
        "recording/test_folder.py::test_a_full_disk_is_one_line_and_what_is_there_can_be_gone_on_with",
    "so its pictures cannot be made; record without them":
        "recording/test_other_agents.py::test_mistakes_end_in_one_line",
    "so it cannot be played again; make one by":
        "recording/test_replay.py::test_a_recording_with_gaps_cannot_be_played_again",
    "--out •": "report/test_report.py::test_an_imported_agent_names_the_file_that_it_came_from",
    "--out report.html": "report/test_report.py::test_an_imported_agent_names_the_file_that_it_came_from",
    "out: cannot read •: •; choose another --out.":
        "reproduce/test_supervise.py::test_a_folder_that_holds_something_else_is_refused",
    "start a cluster with 'ray start --head', or use --ray local.":
        "reproduce/test_ray_cluster.py::test_an_address_that_nothing_answers_at_is_refused_at_once",
    "but no node of the Ray cluster has a GPU; use --device cpu.":
        "reproduce/test_ray_cluster.py::test_what_the_cluster_has_not_is_refused_by_name",
    "out: cannot write to •: •; choose another --out.": 
        "reproduce/test_reproduce.py::test_it_is_interrupted_goes_on_survives_a_kill_and_skips_what_is_finished",
    "--out must be on storage that all nodes of the cluster see":
        "reproduce/test_ray_cluster.py::test_a_node_that_does_not_see_the_folder_is_named",
    "but PyTorch finds no CUDA device here; use --device cpu or auto.":
        "training/test_train.py::test_cuda_where_there_is_none_is_one_clear_error",
    "`--resume --no-cuda-graphs` continues without them.":
        "training/test_graphs.py::test_where_no_graph_can_be_made_the_error_says_how_to_do_without",
    "with workers on several hosts, --run-root must be":
        "training/test_distributed.py::test_hosts_that_do_not_share_the_run_folder_are_told_so_at_the_start",
    "a smaller --learning-rate":
        "training/test_train.py::test_a_loss_that_is_not_finite_stops_the_run_names_the_term_and_keeps_the_last_checkpoint",
    "No checkpoint was written before it":
        "training/test_train.py::test_a_loss_that_is_not_finite_stops_the_run_names_the_term_and_keeps_the_last_checkpoint",
    "Checkpoints hold only earlier updates":
        "training/test_train.py::test_a_loss_that_is_not_finite_stops_the_run_names_the_term_and_keeps_the_last_checkpoint",
    "Continue with the same command and --resume.":
        "training/test_resume.py::test_an_interrupted_run_saves_the_last_finished_update_and_goes_on_bit_for_bit",
    "num_embeddings: got •": "test_enjoy_sppo.py::test_another_number_of_clusters_is_refused",
    "note: the last checkpoint of": "test_enjoy_sppo.py::test_a_shorter_training_than_asked_for_is_noted",
    "Everything that has no flag here is as the original has it.":
        "test_train_procgen.py::test_the_modules_run_as_programs_and_help_shows_every_flag",
    "The agent is looked for as train_procgen.enjoy_sppo": 
        "test_hover_clusters.py::test_states_are_recorded_once_and_the_explorer_opens_on_them",
    "All settings, several games, and a table of scores": 
        "test_single_graph.py::test_the_published_runs_are_drawn_where_the_original_keeps_them",
}  # fmt: skip
"""Tests that provoke an advice and follow it, by a part of its text."""
