"""The common part of the original's two training commands: their flags, and the conversion to our configuration.

Names and defaults are the original's; the defaults of train_ppo and train_sppo differ in --distribution_mode.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from semantic_rl.arguments import ArgumentParser
from semantic_rl.arguments.values import number, path, text, whole_number
from semantic_rl.called_flags import CalledFlags, set_called
from semantic_rl.cli import run_or_exit
from semantic_rl.config import Algorithm, EnvConfig, SemanticConfig, TrainConfig
from semantic_rl.envs.procgen.games import GAMES

EPILOG = """\
Everything that has no flag here is as the original has it. The run goes into
RUN_ROOT/{algorithm}-ENV_MODE_LEVELS_START_SEED; where the original wrote its
runs, RUN_ROOT was train_procgen/checkpoints. Several workers, which were MPI's
there: torchrun --nproc-per-node 2 -m train_procgen.train_{algorithm} ...
All settings, and which device and precision to use: semantic-rl train --help
"""


SETTINGS = {
    "env": "--env_name",
    "num_codes": "--num_embeddings",
    "feature_dof": "--alpha1",
    "embedding_dof": "--alpha2",
    "timesteps": "--timesteps_per_proc",
    "seed": "--rand_seed",
    "states": "--total_states",
    "browser": "--no_browser",
}
"""Settings whose flags have other names in the original's commands."""


DEFAULTS: dict[str, str | int | float] = {
    "--env_name": "coinrun",
    "--num_envs": 64,
    "--distribution_mode": "easy",
    "--num_levels": 0,
    "--start_level": 0,
    "--test_worker_interval": 0,
    "--timesteps_per_proc": 25_000_000,
    "--num_embeddings": 8,
    "--alpha1": 20.0,
    "--alpha2": 20.0,
    "--beta": 0.0,
    "--rand_seed": 2021,
}
"""Defaults that the original's commands have in common."""
AGENT_FLAGS = {
    "--env_name": f"game: {', '.join(GAMES)}",
    "--num_envs": "environments that play side by side",
    "--distribution_mode": "difficulty that the agent was trained on",
    "--num_levels": "levels that the agent was trained on and plays; 0 means all",
    "--start_level": "seed of the first of these levels",
    "--timesteps_per_proc": "steps of the agent's training: the name of the original's file",
    "--rand_seed": "seed that the agent was trained with; it plays with it, too",
    "--num_embeddings": "clusters of the agent",
}
"""Flags of the two commands that look at a trained agent, with their help texts."""
IGNORED_FLAGS: dict[str, str] = dict.fromkeys(
    ("--test_worker_interval", "--beta", "--alpha1", "--alpha2"), "accepted and without effect: only training uses it"
)
"""Flags that these two commands take as the original's do."""


def empty_parser(name: str, description: str, epilog: str) -> ArgumentParser:
    """Make the parser of one of the original's commands, without flags."""
    command = f"python -m train_procgen.{name}"
    return ArgumentParser(command, f"{command} [OPTIONS]", description, epilog, as_argparse=True)


def add_flag(group: argparse._ActionsContainer, name: str, default: object, help: str) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add a flag of the original's; the type of its value is that of its default."""
    if isinstance(default, str):
        read, metavar = text, name.removeprefix("--").upper()
    else:
        read, metavar = (whole_number, "N") if isinstance(default, int) else (number, "X")
    group.add_argument(name, type=read, default=default, metavar=metavar, help=f"{help} (default: {default})")


def add_flags(
    parser: ArgumentParser, helps: Mapping[str, str], defaults: Mapping[str, str | int | float] = DEFAULTS
) -> None:
    """Add flags of the original's, given with their help texts; `defaults` has at least these flags."""
    for name, help in helps.items():
        add_flag(parser.settings, name, defaults[name], help)


def run_command(
    parser: ArgumentParser,
    arguments: Sequence[str] | None,
    action: Callable[[argparse.Namespace], None],
    elsewhere: str = "",
) -> None:
    """Run `action` with the parsed command line; a user's mistake ends with one line and exit code 2.

    Messages of the library name the flags of this command; `elsewhere` is a command that has all other flags.
    """
    flags = {flag.lstrip("-"): flag for item in parser.flags for flag in item.option_strings}
    flags |= {setting: flag for setting, flag in SETTINGS.items() if flag in flags.values()}

    def act() -> None:
        parsed = parser.parse_args(arguments)
        set_called(CalledFlags(flags, elsewhere))
        action(parsed)

    run_or_exit(parser.prog.removeprefix("python -m "), act)


def make_parser(algorithm: Algorithm, distribution_mode: str) -> ArgumentParser:
    """Make the parser of `train_{algorithm}`, whose default mode is `distribution_mode`."""
    what = "PPO with the semantic clustering module (SPPO)" if algorithm == "sppo" else "plain PPO"
    parser = empty_parser(
        f"train_{algorithm}",
        f"Train {what} on a Procgen game, with the flags of the paper's implementation.",
        EPILOG.format(algorithm=algorithm),
    )

    helps = {
        "--env_name": AGENT_FLAGS["--env_name"],
        "--num_envs": "environments of each worker",
        "--distribution_mode": "easy or hard; some games have exploration, memory or extreme",
        "--num_levels": "levels to train on; 0 means all",
        "--start_level": "seed of the first level",
        "--test_worker_interval": "above 0: score the agent on all levels too, if num_levels is not 0",
        "--timesteps_per_proc": "environment steps of each worker",
        "--rand_seed": "seed of weights, environments, actions and shuffling",
    }
    add_flags(parser, helps, {**DEFAULTS, "--distribution_mode": distribution_mode, "--rand_seed": 2022})
    if algorithm == "sppo":
        semantic = {
            "--num_embeddings": "codes of the codebook: the number of clusters",
            "--alpha1": "degrees of freedom of Student's t over the features",
            "--alpha2": "degrees of freedom of Student's t over the embedding",
        }
        add_flags(parser, semantic)
        parser.settings.add_argument(
            "--beta",
            type=number,
            metavar="X",
            help="accepted but without effect, as in the original, whose learner always uses 0.25",
        )
    ours = parser.add_argument_group("beyond the original's")
    ours.add_argument(
        "--run_root",
        type=path,
        default=TrainConfig.run_root,
        metavar="DIR",
        help="folder in which the run folder is created (default: %(default)s)",
    )
    ours.add_argument("--resume", action="store_true", help="continue the run from its last checkpoint")
    return parser


def make_config(algorithm: Algorithm, arguments: argparse.Namespace) -> TrainConfig:
    """Convert parsed arguments to our configuration; raises UserError for invalid values."""
    semantic = SemanticConfig()
    if algorithm == "sppo":
        semantic = SemanticConfig(
            num_codes=arguments.num_embeddings, feature_dof=arguments.alpha1, embedding_dof=arguments.alpha2
        )
        if arguments.beta is not None and arguments.beta != semantic.commitment_coef:
            print(
                f"note: --beta {arguments.beta:g} changes nothing; the original's flag does not reach its learner, "
                f"which takes {semantic.commitment_coef:g}. To set it: semantic-rl train --commitment-coef.",
                file=sys.stderr,
            )
    return TrainConfig(
        algorithm=algorithm,
        environment=EnvConfig(
            env=arguments.env_name,
            distribution_mode=arguments.distribution_mode,
            num_levels=arguments.num_levels,
            start_level=arguments.start_level,
            num_envs=arguments.num_envs,
        ),
        semantic=semantic,
        timesteps=arguments.timesteps_per_proc * int(os.environ.get("WORLD_SIZE", "1")),
        seed=arguments.rand_seed,
        run_root=arguments.run_root,
        resume=arguments.resume,
        held_out_interval=1 if arguments.test_worker_interval > 0 else 0,
    )


def run(algorithm: Algorithm, distribution_mode: str, arguments: Sequence[str] | None = None) -> None:
    """Train with the settings of the command line; a user's mistake ends with one line and exit code 2."""

    def train_as_told(parsed: argparse.Namespace) -> None:
        config = make_config(algorithm, parsed)
        config.check_effects()
        from semantic_rl.training.train import train

        train(config)

    run_command(make_parser(algorithm, distribution_mode), arguments, train_as_told, elsewhere="semantic-rl train")
