"""What all tests share: where the reference data lie, and the rule that CI leaves nothing out unnoticed."""

import os
from pathlib import Path

import pytest

REFERENCE_VARIABLE = "SEMANTIC_RL_REFERENCE"
REPOSITORY = Path(__file__).resolve().parent.parent

SKIPS_THAT_CI_ALLOWS = (
    "no CUDA device",
    "this CPU's oneDNN has no bf16",
    "needs Python 3.13",
    "shared reference data not present",
    "cannot make network namespaces",
    "not allowed to mount",
)
"""How the reason of a skip must begin for CI to accept it: what a machine of CI cannot have. `.ci/run` looks for the
reference data, which are too large for the repository, wherever they may be."""

_skipped: list[tuple[str, str]] = []


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Folder of data measured on the original implementation; the test is skipped where it is absent."""
    given = os.environ.get(REFERENCE_VARIABLE)
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip(f"shared reference data not present: {folder} (set {REFERENCE_VARIABLE} to their folder)")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Called by pytest after collection: mark the tests of the browser, and put files with slow tests first.

    Where files are shared out among processes, none of them is then left alone with a long one at the end.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("true", "1")


def _remember_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Note a skip that CI does not allow; an expected failure is no skip."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(SKIPS_THAT_CI_ALLOWS):
        _skipped.append((report.nodeid, reason))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Called by pytest after each phase of each test."""
    _remember_skip(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Called by pytest after each module was read: a whole module may be skipped."""
    _remember_skip(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Called by pytest at the end: in CI, a forbidden skip fails a session that had passed."""
    if _in_ci() and _skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Called by pytest to write its last lines: name what was left out."""
    if not (_in_ci() and _skipped):
        return
    terminalreporter.section("skipped in CI: these count as failures", red=True)
    for nodeid, reason in _skipped:
        terminalreporter.write_line(f"{nodeid}: {reason}")
