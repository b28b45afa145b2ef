"""Advice on training, on many runs and on learning curves, and of the original's commands."""

import re
import shlex
import shutil

from .scene import RUN, Case, Scene

SMALL = (
    "--num-envs 8 --num-steps 16 --num-minibatches 2 --num-epochs 2 --semantic-interval 2 --precision fp32 "
    "--device cpu --num-threads 1 --checkpoint-interval 1"
)
TRAIN = f"train {SMALL} --timesteps 256 --run-root runs"


OTHER = TRAIN.replace("--run-root runs", "--run-root other")


def _curves(scene: Scene, more: str) -> str:
    scene.have("scored")
    return scene.refused(f"figures curves --out f {more}")


def _two_lengths(scene: Scene) -> str:
    from ..progress_files import write_run

    write_run(scene.folder / "many", "sppo-coinrun_easy_0_0_1", range(20))
    write_run(scene.folder / "many", "sppo-coinrun_easy_0_0_2", range(12))
    return scene.works("figures curves --run-root many --skip-updates 0 --out f")


def _many_runs(scene: Scene, count: int) -> str:
    from ..progress_files import write_run

    for index in range(count):
        if not (scene.folder / f"m{index}").exists():
            write_run(scene.folder / f"m{index}", "sppo-coinrun_easy_0_0_1", range(12))
    return " ".join(f"name{index}=m{index}" for index in range(count))


def _original(scene: Scene, name: str, flags: str, works: bool = False) -> str:
    """Run a command of the original; return what it says."""
    import io
    from contextlib import redirect_stderr, redirect_stdout
    from importlib import import_module

    written, code = io.StringIO(), 0
    with redirect_stdout(written), redirect_stderr(written):
        try:
            import_module(f"train_procgen.{name}").main(shlex.split(flags))
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    assert not works or code == 0, written.getvalue()
    return written.getvalue()


CASES = [
    Case(
        ("of which the first • are not drawn; lower --skip-updates",),
        lambda s: _curves(s, "--run-root scored --skip-updates 99"),
        lambda s: s.works("figures curves --run-root scored --skip-updates 0 --out f"),
    ),
    Case(
        ("or name the folders to draw them apart: --run-root first=",),
        lambda s: (s.have("scored"), shutil.copytree(s.folder / "scored", s.folder / "copy"),
                   s.refused("figures curves --skip-updates 0 --out f --run-root scored copy"))[2],
        lambda s: s.works("figures curves --skip-updates 0 --out f " + re.findall(
            r"--run-root first=\S+ second=[^\s.]+", s.refused("figures curves --out f --run-root scored copy"))[0]),
    ),
    Case(
        ("and each is scored at its own end; --max-steps",),
        _two_lengths,
        lambda s: s.works("figures curves --run-root many --skip-updates 0 --out f --max-steps "
                          + re.findall(r"--max-steps ([\d,_]+)", _two_lengths(s))[0].replace(",", "")),
    ),
    Case(
        ("curves in one panel cannot be told apart, at most • can; give fewer folders, or --num-levels.",),
        lambda s: s.refused("figures curves --skip-updates 0 --out f --run-root " + _many_runs(s, 15)),
        lambda s: s.works("figures curves --skip-updates 0 --out f --run-root " + _many_runs(s, 3)),
    ),
    Case(
        ("exists already; add --resume to continue it, or choose another --seed or --run-root.",),
        lambda s: (s.have("runs"), s.refused(TRAIN))[1],
        lambda s: (s.works(f"{TRAIN} --resume"), s.works(f"{TRAIN} --seed 3"), s.works(OTHER)),
    ),
    Case(
        ("resume: there is no run at •; leave --resume out to start one.",),
        lambda s: s.refused(f"{TRAIN} --resume"),
        lambda s: s.works(TRAIN),
    ),
    Case(
        ("was made with another configuration: •. Resume with the former values, or start a new run in another",),
        lambda s: (s.have("runs"), s.refused(f"{TRAIN} --gamma 0.5 --resume"))[1],
        lambda s: (s.works(f"{TRAIN} --resume"), s.works(f"{OTHER} --gamma 0.5")),
    ),
    Case(
        ("is not a run folder: it has no •; choose another --run-root.",),
        lambda s: ((s.folder / RUN).mkdir(parents=True), (s.folder / RUN / "progress.csv").touch(),
                   s.refused(f"{TRAIN} --resume"))[2],
        lambda s: s.works(OTHER),
    ),
    Case(
        ("restore it from a copy, or choose another --run-root.",),
        lambda s: (s.have("runs"), (s.folder / RUN / "config.json").write_text("{"), s.refused(f"{TRAIN} --resume"))[2],
        lambda s: s.works(OTHER),
    ),
    Case(
        ("train on, with --resume and a higher --timesteps, until semantic/weight in progress.csv is above 0.",),
        lambda s: (
            s.have("runs"), s.said(f"record {RUN} --states 20 --num-envs 2 --frame-size 0 --device cpu --out r")
        )[1],
        lambda s: s.works(f"{TRAIN.replace('256', '384')} --resume"),
    ),
    Case(
        ("choose another --run-root.",),
        lambda s: s.on_a_full_disk(TRAIN),
        lambda s: s.works(OTHER),
    ),
    Case(
        ("note: --beta • changes nothing;",),
        lambda s: _original(s, "train_sppo", "--beta 0.5 --num_envs 8 --timesteps_per_proc 16"),
        lambda s: s.works(f"{TRAIN} --commitment-coef 0.5"),
    ),
    Case(
        ("save: there is no display to show the figure on; leave out --save, which turns saving off.",),
        lambda s: (s.have("scored"), _original(s, "single_graph", "--run_root scored --skip_updates 0 --save"))[1],
        lambda s: _original(s, "single_graph", "--run_root scored --skip_updates 0", works=True),
    ),
    Case(
        ("no run of • found in • under •; --run_root says where they are.",),
        lambda s: _original(s, "single_graph", ""),
        lambda s: (s.have("scored"), _original(s, "single_graph", "--run_root scored --skip_updates 0", works=True)),
    ),
]  # fmt: skip
