"""Makes a config of command-line arguments."""

import contextlib
import io
import sys

from semantic_rl.errors import UserError


def parse[Config](config: type[Config], arguments: list[str], command: str) -> Config:
    """Make a config dataclass from command-line arguments.

    tyro prints help and usage errors and exits. What the config itself refuses is raised as the UserError that it is:
    tyro would draw it into a box and break its lines.
    """
    import tyro

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(
                config,
                args=arguments,
                prog=f"semantic-rl {command}",
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
            )
    except SystemExit as leaving:
        cause = leaving.__context__
        while cause is not None and not isinstance(cause, UserError):
            cause = cause.__context__
        if cause is not None:
            raise cause from None
        sys.stderr.write(said.getvalue())
        raise
