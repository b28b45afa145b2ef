"""Commands that read agents and recordings of others; they are run on damaged files, the first of what they need."""

from . import foreign
from .commands import THREADS, Writing, of_recording
from .materials import CLIPS

SHOWING: dict[str, Writing] = {
    "evaluate of others": Writing(
        lambda folder, out: ["evaluate", *foreign.agent(folder / "agents"), "--episodes", "2"], ("agents",), "", str
    ),
    "layers of others": Writing(
        lambda folder, out: ["layers", f"{folder}/agents/ppo.zip", "--env", foreign.ENV], ("agents",), "", str
    ),
    "fit --labels": Writing(
        lambda folder, out: [
            "fit",
            f"{folder}/fitted",
            "--labels",
            f"{folder}/labels.npz",
            *foreign.FIT,
            "--steps",
            "40",
        ],
        ("labels.npz", "fitted"),
        "",
        str,
    ),
    "fit --apply": Writing(
        lambda folder, out: ["fit", f"{folder}/unfitted", "--apply", f"{folder}/fitted"],
        ("fitted", "unfitted"),
        "",
        str,
    ),
    "check of others": Writing(of_recording("check", "FIT"), ("fitted",), "", str),
    "figures of others": Writing(of_recording("figures", "clusters", "FIT", "--out", "OUT"), ("fitted",), "", str),
    "report of others": Writing(
        of_recording("report", "FIT", "--no-baselines", *THREADS, "--out", "OUT"), ("fitted",), ".html", str
    ),
    "explore --export of others": Writing(
        of_recording("explore", "FIT", "--frames", "50", "--export", "OUT"), ("fitted",), ".html", str
    ),
    "clips of others": Writing(of_recording("clips", "FIT", *CLIPS, "--out", "OUT"), ("fitted",), "", str),
    "metrics of others": Writing(
        of_recording("metrics", "FIT", "--resamples", "100", "--out", "OUT"), ("fitted",), ".json", str
    ),
}
"""Commands that are run on damaged files alone; the first of what they need is damaged."""
