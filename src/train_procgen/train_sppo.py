"""The original's `python -m train_procgen.train_sppo`: PPO with the semantic clustering module."""

from collections.abc import Sequence

from train_procgen.command import run


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    run("sppo", "easy", arguments)


if __name__ == "__main__":
    main()
