"""Advice on what recordings are shown and measured by: figures, clips, metrics, report, explorer, clusterings."""

import json
import os
import re

from .scene import RUN, SMALL_FIT, Case, Scene, quoted

PLAYED = (
    f"clips {RUN} --video-size 0 --animation-size 64 --frames 90 --min-shot 1 --max-steps 60 --num-envs 2 --device cpu"
)
FIT = f"fit ppo --codes 2 {SMALL_FIT}"
CLIPS = "--video-size 0 --animation-size 64 --frames 12 --min-shot 1"


def _given(*names: str, command: str, full: bool = False) -> "object":
    def provoke(scene: Scene) -> str:
        scene.have(*names)
        return scene.on_a_full_disk(command) if full else scene.refused(command)

    return provoke


def _said(*names: str, command: str) -> "object":
    def provoke(scene: Scene) -> str:
        scene.have(*names)
        return scene.said(command)

    return provoke


def _works(*commands: str) -> "object":
    return lambda scene: [scene.works(command) for command in commands]


def _quoted_fit(scene: Scene) -> None:
    scene.works(f"semantic-rl fit ppo --codes 2 {SMALL_FIT}")
    scene.works("figures clusters ppo --out f")


def _fitted(scene: Scene, more: str = "") -> None:
    scene.have("ppo")
    scene.works(f"{FIT}{more}")


def _damaged_metrics(scene: Scene) -> str:
    scene.have("rec")
    (scene.folder / "rec" / "derived").mkdir(exist_ok=True)
    (scene.folder / "rec" / "derived" / "metrics.json").write_text("{")
    return scene.said("check rec")


def _wrong_parts_of_a_report(scene: Scene) -> str:
    scene.have("rec", "ppo")
    (scene.folder / "empty").mkdir()
    said = scene.refused("report rec --run empty --out r.html") + scene.refused("report rec --clips empty --out r.html")
    (scene.folder / "m.json").write_text("{")
    said += scene.refused("report rec --metrics m.json --out r.html")
    (scene.folder / "m.json").write_text("{}")
    said += scene.refused("report rec --metrics m.json --out r.html")
    scene.works("metrics ppo --resamples 100 --out other.json")
    said += scene.refused("report rec --metrics other.json --out r.html")
    scene.works(f"clips rec {CLIPS} --all-episodes --out c")
    _of_another_agent(scene)
    return said + scene.refused("report rec --clips c --out r.html")


def _parts_of_another_clustering(scene: Scene) -> str:
    _fitted(scene)
    scene.works(f"{FIT} --name another")
    scene.works("metrics ppo --resamples 100 --clustering another --out m.json")
    scene.works(f"clips ppo {CLIPS} --all-episodes --clustering another --out c")
    said = scene.refused("report ppo --clustering mlp-2 --metrics m.json --out r.html")
    return said + scene.refused("report ppo --clustering mlp-2 --clips c --out r.html")


def _fewer_states(scene: Scene, said: str) -> str:
    (number,) = re.findall(r"give --max-states (\d+) or more", said)
    return number


def _clips_of_an_agent(scene: Scene) -> str:
    scene.have("runs", "rec")
    (scene.folder / "d" / "playing" / "mine").mkdir(parents=True)
    said = scene.refused(f"{PLAYED} --clustering mlp-2 --out c") + scene.refused(f"{PLAYED} --names rec --out c")
    said += scene.refused(f"{PLAYED} --resume --out c") + scene.refused(f"{PLAYED} --out d")
    said += scene.refused(f"{PLAYED} --max-episode-steps 1 --out c") + scene.refused(f"{PLAYED} --out c")
    return said + scene.works(f"{PLAYED} --all-episodes --out e")


def _with_ffmpeg(scene: Scene, program: str) -> str:
    kept = os.environ.get("IMAGEIO_FFMPEG_EXE")
    os.environ["IMAGEIO_FFMPEG_EXE"] = program
    try:
        return scene.refused("clips rec --frames 12 --min-shot 1 --all-episodes --animation-size 64 --out c")
    finally:
        del os.environ["IMAGEIO_FFMPEG_EXE"]
        if kept is not None:
            os.environ["IMAGEIO_FFMPEG_EXE"] = kept


def _interrupt_fit(scene: Scene) -> str:
    """Interrupt a fit by Ctrl-C in the midst of its steps."""
    import contextlib
    import io
    import shlex
    import signal

    from semantic_rl.cli import main
    from semantic_rl.clustering.plane import PlaneFit

    scene.have("ppo")
    usual, written = PlaneFit.run, io.StringIO()

    def run(self, path, save, report):
        def told(done: int, total: int) -> None:
            report(done, total)
            if done:
                signal.raise_signal(signal.SIGINT)

        return usual(self, path, save, told)

    PlaneFit.run = run  # type: ignore[method-assign]
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background processes ignore it
    try:
        with contextlib.redirect_stderr(written), contextlib.suppress(KeyboardInterrupt, SystemExit):
            main(shlex.split(FIT))
    finally:
        PlaneFit.run = usual  # type: ignore[method-assign]
        signal.signal(signal.SIGINT, ignored)
    assert (scene.folder / "ppo/clusterings/mlp-2/unfinished.safetensors").exists()
    return written.getvalue()


def _spoil(scene: Scene) -> None:
    (scene.folder / "ppo/clusterings/mlp-2/unfinished.safetensors").write_bytes(b"nothing")


def _without_observations(scene: Scene) -> None:
    import numpy as np

    from semantic_rl import RecordingWriter

    rng = np.random.default_rng(0)
    with RecordingWriter(scene.folder / "own", "CartPole-v1") as writer:
        for _ in range(4):
            writer.add_episode(features=rng.normal(size=(30, 4)), terminated=True)
    scene.works(f"fit own --codes 2 {SMALL_FIT}")


def _labels(scene: Scene, different: int) -> None:
    (scene.folder / "l.csv").write_text("label\n" + "".join(f"{row % different}\n" for row in range(120)))


def _fitted_again(scene: Scene) -> None:
    scene.works(f"{FIT} --name another")
    (scene.folder / "ppo/clusterings/mlp-2/head.safetensors").write_bytes(b"nothing")


def _of_another_agent(scene: Scene) -> None:
    path = scene.folder / "c" / "clips.json"
    content = json.loads(path.read_text())
    content["agent"]["sha256"] = "1" * 64
    path.write_text(json.dumps(content))


CASES = [
    Case(
        ("so there are no clusters; fit some: semantic-rl fit •. 'figures embeddings' draws t-SNE without.",),
        _given("ppo", command="figures clusters ppo --out f"),
        lambda s: (_quoted_fit(s), s.works("figures embeddings ppo --out f --num-threads 1")),
    ),
    Case(
        ("so it has neither FDR space nor clusters; drawing t-SNE alone•. To get both: semantic-rl fit",),
        _said("ppo", command="figures embeddings ppo --out f --num-threads 1"),
        _quoted_fit,
    ),
    Case(
        ("needs at least • states, and there are •; record more states or give --perplexity",),
        _given("ppo", command="figures embeddings ppo --perplexity 500 --num-threads 1 --out f"),
        lambda s: s.works("figures embeddings ppo --num-threads 1 --out f --perplexity "
                          + re.findall(r"--perplexity (\S+) or less",
                                       s.refused("figures embeddings ppo --perplexity 500 --out f"))[0]),
    ),
    Case(
        ("make room, or choose another file with --out.",),
        _given("rec", command="metrics rec --resamples 100 --out m.json", full=True),
        _works("metrics rec --resamples 100 --out other.json"),
    ),
    Case(
        ("has no plane; --baselines adds t-SNE and PCA, which do",),
        _said("ppo", command="metrics ppo --resamples 100"),
        _works("metrics ppo --resamples 100 --baselines --num-threads 1"),
    ),
    Case(
        ("is less than one episode of •, of • states; give --max-states",),
        _given("rec", command="metrics rec --max-states 2"),
        lambda s: s.works("metrics rec --resamples 100 --max-states "
                          + _fewer_states(s, s.refused("metrics rec --max-states 2"))),
    ),
    Case(
        ("give recordings with observations, or leave --against out.",),
        lambda s: (_without_observations(s), s.refused("metrics own --against own"))[1],
        lambda s: (s.have("rec"), s.works("metrics rec --against rec --resamples 100"),
                   s.works("metrics own --resamples 100")),
    ),
    Case(
        ("Remove it, and make it anew with 'semantic-rl metrics'.",),
        _damaged_metrics,
        lambda s: ((s.folder / "rec/derived/metrics.json").unlink(), s.works("semantic-rl metrics rec --resamples 100"),
                   s.works("check rec")),
    ),
    Case(
        ("or make no videos: --video-size 0.",),
        lambda s: (s.have("rec"), _with_ffmpeg(s, "/bin/false"))[1],
        _works(f"clips rec {CLIPS} --all-episodes --out c"),
    ),
    Case(
        ("Loosen the rule with --success-fraction or --max-episode-steps, or take every episode with --all-episodes.",),
        _given("rec", command=f"clips rec {CLIPS} --max-episode-steps 1 --out c"),
        _works(f"clips rec {CLIPS} --max-episode-steps 500 --out c", f"clips rec {CLIPS} --all-episodes --out c"),
    ),
    Case(
        ("not one of • episodes was successful•; take every episode with --all-episodes.",),
        lambda s: (s.have("mine.py"), s.works("record mine.py:agent --env mine.py:failing --states 60 --num-envs 2 "
                   "--frame-size 64 --out r"), s.works(f"fit r --codes 2 {SMALL_FIT}"),
                   s.refused(f"clips r {CLIPS} --out c"))[3],
        _works(f"clips r {CLIPS} --all-episodes --out d"),
    ),
    Case(
        ("holds what is not a clip (•); choose another --out.",),
        lambda s: (s.have("rec"), (s.folder / "c").mkdir(), (s.folder / "c" / "mine").touch(),
                   s.refused(f"clips rec {CLIPS} --out c"))[3],
        _works(f"clips rec {CLIPS} --all-episodes --out d"),
    ),
    Case(
        ("leave --clustering out, or give a recording.",
         "whose clusters are others; give a recording of this one, or leave --names out.",
         "that was played before; leave --resume out to start.",
         "is not what an agent played for clips; move it away, or choose another --out.",
         "What was played is kept in •: the same command with --resume does not play it again.",
         "holds episodes that were played before; continue with --resume, or delete", "a higher --max-steps than"),
        _clips_of_an_agent,
        lambda s: (s.works(f"{PLAYED} --all-episodes --out c --resume"),
                   s.works(f"clips rec {CLIPS} --all-episodes --clustering agent --out e")),
    ),
    Case(
        ("left them out), and its observations are no images; record again with",),
        lambda s: (s.have("poles"), s.works(f"fit poles --codes 2 {SMALL_FIT}"),
                   s.refused(f"clips poles {CLIPS} --out c"))[2],
        lambda s: (s.have("mine.py"), s.works("record mine.py:agent --env CartPole-v1 --states 60 --num-envs 2 "
                   "--frame-size 64 --out again"), s.works(f"fit again --codes 2 {SMALL_FIT}"),
                   s.works(f"clips again {CLIPS} --out c")),
    ),
    Case(
        ("left them out); the clips show the agent's",),
        lambda s: (s.works("record sppo-coinrun --states 40 --num-envs 2 --frame-size 0 --out r"),
                   s.said(f"clips r {CLIPS} --all-episodes --out c"))[1],
        _works(f"clips r {CLIPS} --all-episodes --out d"),
    ),
    Case(
        ("has a clustering '•' already; choose another --name, or delete",),
        lambda s: (_fitted(s), s.refused(FIT))[1],
        _works(f"{FIT} --name another"),
    ),
    Case(
        ("resume: there is no interrupted fit in •; leave --resume out to start.",),
        _given("ppo", command=f"{FIT} --resume"),
        _works(FIT),
    ),
    Case(
        ("holds a fit that was interrupted; continue with --resume, or delete it to start anew.",),
        lambda s: (_interrupt_fit(s), s.refused(FIT))[1],
        _works(f"{FIT} --resume"),
    ),
    Case(("stopped. If the fit had begun, the same command with --resume continues it.",), lambda s: _interrupt_fit(s),
         _works(f"{FIT} --resume")),
    Case(
        ("and fit without --resume.",),
        lambda s: (_interrupt_fit(s), _spoil(s), s.refused(f"{FIT} --resume"))[2],
        lambda s: ((s.folder / "ppo/clusterings/mlp-2/unfinished.safetensors").unlink(), s.works(FIT)),
    ),
    Case(
        ("give a lower --learning-rate than",),
        _given("ppo", command="fit ppo --head linear --codes 2 --steps 300 --no-baselines --learning-rate 1e9"),
        _works("fit ppo --head linear --codes 2 --steps 20 --no-baselines --learning-rate 0.001"),
    ),
    Case(
        ("different labels; leave --codes out.",),
        lambda s: (s.have("ppo"), _labels(s, 3), s.refused("fit ppo --codes 7 --labels l.csv"))[2],
        _works(f"fit ppo --labels l.csv {SMALL_FIT}"),
    ),
    Case(
        ("give --labels a file with one label a row",),
        lambda s: (s.have("ppo"), (s.folder / "l.npz").write_bytes(b"PK"), s.refused("fit ppo --labels l.npz"))[2],
        lambda s: (_labels(s, 2), s.works(f"fit ppo --labels l.csv {SMALL_FIT}")),
    ),
    Case(
        ("which the recording does not hold as a function; choose a fitted one with",),
        lambda s: (s.have("rec", "ppo"), s.works(f"fit rec --name mine --codes 2 {SMALL_FIT}"),
                   s.refused("fit ppo --apply rec --clustering agent"))[2],
        lambda s: (s.works("record sppo-coinrun --states 60 --num-envs 2 --frame-size 0 --out a"),
                   s.works("record sppo-coinrun --states 40 --num-envs 2 --frame-size 0 --seed 3 --out b"),
                   s.works(f"fit a --name mine --codes 2 {SMALL_FIT}"),
                   s.works("fit b --apply a --clustering mine")),
    ),
    Case(
        ("and fit again, or choose another with --clustering.",),
        lambda s: (_fitted(s), _fitted_again(s), s.refused("metrics ppo --clustering mlp-2"))[2],
        _works("metrics ppo --resamples 100 --clustering another"),
    ),
    Case(("make one: semantic-rl fit •",), _given("ppo", command="metrics ppo --clustering agent"), _quoted_fit),
    Case(("has none; make one: semantic-rl fit",), _given("ppo", command="metrics ppo --clustering x"), _quoted_fit),
    Case(
        ("a recording made by 'semantic-rl record'",),
        lambda s: s.refused("metrics nothing"),
        lambda s: (s.works("semantic-rl record sppo-coinrun --states 40 --num-envs 2 --frame-size 0 --out nothing"),
                   s.works("metrics nothing --resamples 100")),
    ),
    Case(
        ("it has no •; make one with 'semantic-rl record'.",),
        lambda s: ((s.folder / "empty").mkdir(), s.refused("metrics empty"))[1],
        _works("semantic-rl record sppo-coinrun --states 40 --num-envs 2 --frame-size 0 --out r"),
    ),
    Case(
        ("expected a recording. Make one: semantic-rl record",),
        lambda s: (s.have("runs"), s.refused(f"explore {RUN}"))[1],
        lambda s: s.works(quoted(s.refused(f"explore {RUN}"), "semantic-rl record").replace("5000", "40")
                          + " --frame-size 0 --num-envs 2 --device cpu"),
    ),
    Case(
        ("cannot write figures to •: •; choose another --out.",),
        _given("rec", command="figures clusters rec --out f", full=True),
        _works("figures clusters rec --out g"),
    ),
    Case(
        ("cannot write •: •; choose another --out.",),
        _given("other", command="report other --no-baselines --out r.html", full=True),
        _works("report other --no-baselines --out s.html"),
    ),
    Case(
        ("or leave --run out.", "make the folder with 'semantic-rl clips', or leave --clips out.",
         "expected what 'semantic-rl clips' writes.", "is of another agent than •; make it anew or leave --clips out.",
         "make it with 'semantic-rl metrics', or leave --metrics out.", "was not made by 'semantic-rl metrics'",
         "is of another recording than •; run 'semantic-rl metrics' on this one, or leave --metrics out."),
        _wrong_parts_of_a_report,
        _works("semantic-rl metrics rec --resamples 100 --out m2.json",
               f"semantic-rl clips rec {CLIPS} --all-episodes --out d",
               "report rec --metrics m2.json --clips d --out r.html"),
    ),
    Case(
        ("shows other clusters than '•' of •; make it anew with --clustering",
         "is of another clustering than '•' of •; run 'semantic-rl metrics' with --clustering"),
        _parts_of_another_clustering,
        _works(f"clips ppo {CLIPS} --all-episodes --clustering mlp-2 --out d",
               "semantic-rl metrics ppo --resamples 100 --clustering mlp-2 --out m2.json",
               "report ppo --clustering mlp-2 --metrics m2.json --clips d --out r.html"),
    ),
    Case(
        ("--help says what each flag takes.",),
        lambda s: s.refused("record --nothing"),
        lambda s: s.works(" ".join(quoted(s.refused("record --nothing"), "semantic-rl record --help").split()[:3])),
    ),
    Case(("--help shows a •'s options.",), lambda s: s.works("--help"), _works("record --help")),
    Case(("semantic-rl figures FIGURE",), lambda s: s.said("figures"), _works("figures --help")),
]  # fmt: skip
