"""Parses command lines into settings; a usage error is reported in one sentence."""

from semantic_rl.arguments.parser import ArgumentParser
from semantic_rl.arguments.settings import add_settings, make_config

__all__ = ["ArgumentParser", "add_settings", "make_config"]
