"""The command lines: words that a user types become settings, and a mistake among them is one sentence."""

from semantic_rl.arguments.parser import ArgumentParser
from semantic_rl.arguments.settings import add_settings, make_config

__all__ = ["ArgumentParser", "add_settings", "make_config"]
