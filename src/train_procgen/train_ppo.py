"""The original's `python -m train_procgen.train_ppo`: plain PPO. Its default distribution mode is hard, not easy."""

from collections.abc import Sequence

from train_procgen.command import run


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    run("ppo", "hard", arguments)


if __name__ == "__main__":
    main()
