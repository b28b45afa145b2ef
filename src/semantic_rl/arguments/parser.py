"""An argparse parser with one-sentence usage errors: the flag, the value, what was expected, the nearest flag, --help.

Unlike argparse it refuses a flag that is given twice, accepts negative numbers as values in every notation, and treats
`--num_levels` and `--num-levels` alike.
"""

import argparse
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from semantic_rl.arguments.values import shown
from semantic_rl.errors import UserError, nearest

WIDEST_HELP = 100


class UsageError(UserError):
    """An invalid command line; the message ends with a reference to --help."""


class HelpFormatter(argparse.HelpFormatter):
    """Formats help to the terminal's width, up to a readable maximum; flags are not broken at hyphens."""

    def __init__(self, prog: str) -> None:
        width = min(shutil.get_terminal_size().columns, WIDEST_HELP) - 2
        super().__init__(prog, max_help_position=24, width=max(width, 40))

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = [textwrap.wrap(line, width - len(indent), break_on_hyphens=False) or [""] for line in text.splitlines()]
        return "\n".join(indent + part if part else "" for line in lines for part in line)


class Several(argparse.Action):
    """Action of a flag with one or more values, which are stored as a tuple."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: Any = None
    ) -> None:
        """Add one more value."""
        setattr(namespace, self.dest, (*(getattr(namespace, self.dest, None) or ()), values))


class ArgumentParser(argparse.ArgumentParser):
    """The parser of one command; raises UsageError instead of printing the usage and exiting."""

    def __init__(self, command: str, usage: str, description: str, epilog: str = "", as_argparse: bool = False) -> None:
        """Make a parser without arguments.

        command: what a user types to run it. usage: the usage line. as_argparse: accept what plain argparse accepts,
        as the original's commands do: unique prefixes of flags, and a flag given twice, whose last value counts.
        """
        super().__init__(
            prog=command,
            usage=usage,
            description=description,
            epilog=epilog,
            formatter_class=HelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )
        self._as_argparse = as_argparse
        self._without_flag = self.add_argument_group("arguments")
        self.settings = self.add_argument_group("flags")
        self.settings.add_argument("-h", "--help", action="help", help="Show this help.")

    def add_place(self, name: str, **settings: Any) -> None:
        """Add a positional argument."""
        self._without_flag.add_argument(name, **settings)

    @property
    def places(self) -> list[argparse.Action]:
        """Return the positional arguments, in order."""
        return [action for action in self._actions if not action.option_strings]

    @property
    def flags(self) -> list[argparse.Action]:
        """Return all flags."""
        return [action for action in self._actions if action.option_strings]

    @property
    def required_flags(self) -> list[argparse.Action]:
        """Return the flags that are required."""
        return [action for action in self.flags if action.required]

    def print_help(self, file: Any = None) -> None:
        """Print the help; argparse's own method would hide the error if the reader of the output has gone."""
        print(self.format_help(), end="", file=file)

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as a UsageError."""
        said = message.removeprefix("argument ")
        end = "" if said.endswith((".", "?")) else "."
        raise UsageError(f"{said}{end} {self.prog} --help says what each flag takes.")

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Check and parse the words; every error is a UsageError."""
        given = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(self._in_order(given), namespace)

    def _in_order(self, words: list[str]) -> list[str]:
        """Return the words reordered: flags with their values first, positional words last."""
        flags: list[str] = []
        loose: list[str] = []
        seen: dict[str, str] = {}
        left = list(words)
        while left:
            word = left.pop(0)
            if word == "--":
                loose += left
                break
            if not _looks_like_a_flag(word):
                loose.append(word)
                continue
            name, equals, value = word.partition("=")
            action = self._find(name)
            if "--help" in action.option_strings:
                return ["--help"]
            flag = action.option_strings[-1]
            if flag in seen and not self._as_argparse:
                self.error(f"{flag} is given twice; give it once")
            seen[flag] = value
            if action.nargs == 0:
                if equals:
                    self.error(f"{flag} takes no value, and {shown(value)} is given")
                flags.append(flag)
                continue
            values = [value] if equals else self._values(left, isinstance(action, Several))
            if not values:
                self.error(f"{flag} lacks its value: {flag} {_metavar(action)}{_but(left)}")
            flags += [f"{flag}={value}" for value in values]
        self._check_loose(loose)
        self._check_missing(seen, len(loose))
        return [*flags, "--", *loose] if loose else flags

    def _values(self, left: list[str], many: bool) -> list[str]:
        """Remove the values of a flag from the remaining words and return them."""
        values: list[str] = []
        while left and (many or not values) and not _looks_like_a_flag(left[0]):
            values.append(left.pop(0))
        return values

    def _find(self, name: str) -> argparse.Action:
        """Return the action of a flag as typed; raises UsageError with the nearest flag if it is unknown."""
        known: dict[str, argparse.Action] = {}
        for action in self._actions:
            known.update(dict.fromkeys(action.option_strings, action))
        spellings = {_spelled(flag): action for flag, action in known.items()}
        if _spelled(name) in spellings:
            return spellings[_spelled(name)]
        begun = [flag for flag in known if self._as_argparse and len(name) > 2 and flag.startswith(name)]
        if len(begun) == 1:
            return known[begun[0]]
        if begun:
            self.error(f"{name} may be {' or '.join(begun)}; write it out")
        names = {flag.lstrip("-").replace("_", "-"): flag for flag in known}
        close = nearest(_spelled(name).lstrip("-"), list(names)) if len(name) > 3 else ""
        for plain, flag in names.items():
            close = close.replace(f"'{plain}'", f"'{flag}'")
        self.error(f"unknown flag {shown(name)}.{close}")

    def _check_missing(self, seen: dict[str, str], num_loose: int) -> None:
        missing = [action for action in self.places[num_loose:] if action.required]
        missing += [action for action in self.required_flags if action.option_strings[-1] not in seen]
        if missing:
            flags = [" ".join([*action.option_strings[-1:], _metavar(action)]) for action in missing]
            about = (missing[0].help or "").partition(". ")[0].removesuffix(".")
            self.error(f"{' and '.join(flags)} {'is' if len(flags) == 1 else 'are'} missing; {flags[0]}: {about}")

    def _check_loose(self, loose: list[str]) -> None:
        if len(loose) > len(self.places):
            surplus = shown(loose[len(self.places)])
            taken = " and ".join(_metavar(action) for action in self.places)
            self.error(f"{surplus} belongs to no flag; {f'only {taken}' if taken else 'nothing'} stands without one")


def _looks_like_a_flag(word: str) -> bool:
    if len(word) < 2 or not word.startswith("-"):
        return False
    try:
        float(word)
    except ValueError:
        return True
    return False


def _spelled(flag: str) -> str:
    return flag.replace("_", "-")


def _metavar(action: argparse.Action) -> str:
    return str(action.metavar or action.dest.upper())


def _but(left: list[str]) -> str:
    return f", and {shown(left[0])} follows" if left else ""
