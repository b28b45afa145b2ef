"""Advice on agents: how they are named, opened, packed, played and recorded."""

import json

from .scene import RUN, Case, Scene, quoted

FEW = "--states 20 --num-envs 2 --frame-size 0"
POLE = f"--env CartPole-v1 {FEW}"


def _packed(scene: Scene, field: str) -> str:
    if not (scene.folder / "packed").exists():
        scene.have("runs")
        scene.works(f"pack {RUN} --episodes 1 --out packed")
    return json.loads((scene.folder / "packed" / "card.json").read_text())[field]


def _scores_again(scene: Scene) -> None:
    card = json.loads((scene.folder / "packed" / "card.json").read_text())
    command = quoted(card["scores_by"], "semantic-rl").partition(": ")[0].replace("AGENT", "packed")
    again = json.loads(scene.works(f"{command} --json"))
    assert again["mean_return"] == card["scores"]["mean_return"]


def _train_again(scene: Scene) -> None:
    card = json.loads((scene.folder / "packed" / "card.json").read_text())
    scene.works(card["reproduce"] + " --run-root again")
    assert list((scene.folder / "again").glob("*/checkpoints/*"))


def _import(scene: Scene, out: str = "imported") -> str:
    import joblib

    from ..original.test_import_checkpoint import original_variables

    if not (scene.folder / "25000000").exists():
        joblib.dump(original_variables(8), scene.folder / "25000000")
    return f"import-original 25000000 --env coinrun --out {out}"


def _imported_card(scene: Scene) -> str:
    scene.works(_import(scene))
    scene.works("pack imported --episodes 1 --out packed")
    return json.loads((scene.folder / "packed" / "card.json").read_text())["reproduce"]


def _import_again(scene: Scene) -> None:
    card = json.loads((scene.folder / "packed" / "card.json").read_text())
    scene.works(card["reproduce"].replace("RUN", "again"))


def _twice(scene: Scene, command: str) -> str:
    scene.works(command)
    return scene.refused(command)


def _without_env(scene: Scene) -> str:
    import pytest

    from semantic_rl import open_agent
    from semantic_rl.errors import UserError

    scene.have("mine.py")
    with pytest.raises(UserError) as refusal:
        open_agent("mine.py:module", layer="1")
    return str(refusal.value)


WHOLE = "record sppo-coinrun --states 60 --num-envs 2 --frame-size 0 --device cpu --out out"


def _interrupted(scene: Scene, command: str) -> str:
    """Leave a recording as an interruption does: it says that it is not complete."""
    scene.works(WHOLE)
    path = scene.folder / "out" / "recording.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"complete": False}))
    return scene.refused(command)


def _short_episodes(scene: Scene, command: str) -> str:
    """Let an episode be endless after fewer steps than usual."""
    from semantic_rl.recording.record import play

    usual, play.MOST_EPISODE_STEPS = play.MOST_EPISODE_STEPS, 300
    try:
        return scene.refused(command)
    finally:
        play.MOST_EPISODE_STEPS = usual


def _atari_note_is_gone(scene: Scene) -> None:
    assert not _atari_note({"frameskip": 1})


def _atari_note(arguments: dict[str, int] | None = None) -> str:
    from semantic_rl.envs.gymnasium.make import open_recipe

    return " ".join(open_recipe("ALE/Breakout-v5", arguments or {}, ("atari",), None, None).notes)


CASES = [
    Case(
        ("choose a layer inside or after it ('semantic-rl layers AGENT' lists them)",),
        lambda s: (s.have("mine.py"), s.refused(f"record mine.py:unusual {POLE} --layer named --out r"))[1],
        lambda s: (
            s.works("layers mine.py:unusual --env CartPole-v1"),
            s.works(f"record mine.py:unusual {POLE} --layer head --out r"),
        ),
    ),
    Case(
        ("semantic-rl evaluate AGENT --episodes",),
        lambda s: _packed(s, "scores_by"),
        lambda s: (_scores_again(s), _train_again(s)),
    ),
    Case(
        ("semantic-rl import-original", "exists already; choose another --out."),
        lambda s: _imported_card(s) + s.refused(_import(s)) + s.refused("pack imported --episodes 1 --out packed"),
        _import_again,
    ),
    Case(
        ("cannot write to •: •; make room, or choose another --out.",),
        lambda s: (s.have("runs"), s.on_a_full_disk(f"pack {RUN} --episodes 1 --out packed"))[1],
        lambda s: s.works(f"pack {RUN} --episodes 1 --out another"),
    ),
    Case(
        ("does not say what it plays; name the environment with --env.",),
        _without_env,
        lambda s: s.works(f"record mine.py:module --layer 1 {POLE} --out r"),
    ),
    Case(
        ("without the name of a layer; name one with --layer",),
        lambda s: (s.have("mine.py"), s.refused(f"record mine.py:module {POLE} --out r"))[1],
        lambda s: s.works(f"record mine.py:module {POLE} --layer 1 --out r"),
    ),
    Case(
        ("does not say which environment it plays; give it, as in --env LunarLander-v3",),
        lambda s: (s.have("mine.py"), s.refused(f"record mine.py:agent {FEW} --out r"))[1],
        lambda s: s.works(f"record mine.py:agent {POLE} --out r"),
    ),
    Case(
        ("add a limit: --wrap time-limit=1000",),
        lambda s: (
            s.have("mine.py"),
            _short_episodes(s, f"record mine.py:agent --env mine.py:endless {FEW} --out r"),
        )[1],
        lambda s: s.works(f"record mine.py:agent --env mine.py:endless {FEW} --wrap time-limit=30 --out other"),
    ),
    Case(
        ("give the environment that it was trained on, with --env, and its wrappers, with --wrap.",),
        lambda s: (s.have("mine.py"), s.refused(f"record mine.py:agent --env Acrobot-v1 {FEW} --out r"))[1],
        lambda s: s.works(f"record mine.py:agent {POLE} --out r"),
    ),
    Case(
        ("with --env-args frameskip=1 it repeats nothing itself.",),
        lambda s: _atari_note(),
        _atari_note_is_gone,
    ),
    Case(
        ("resume: there is no recording at •; leave --resume out to start one.",),
        lambda s: s.refused(f"record sppo-coinrun {FEW} --out r --resume"),
        lambda s: s.works(f"record sppo-coinrun {FEW} --out r"),
    ),
    Case(
        ("add --resume to complete an interrupted recording, or ", "exists already; •choose another --out.",
         "was begun otherwise: ", "Complete it by the command that began it: 'semantic-rl record … --resume'."),
        lambda s: (
            _interrupted(s, WHOLE) + s.refused(f"{WHOLE} --resume --seed 5") + s.refused("metrics out")
        ),
        lambda s: (s.works(f"{WHOLE} --resume"), s.works(WHOLE.replace("--out out", "--seed 5 --out another"))),
    ),
    Case(
        ("so it would do nothing; give --level-seed",),
        lambda s: s.refused(f"record sppo-coinrun {FEW} --start-level 97 --out r"),
        lambda s: (
            s.works(f"record sppo-coinrun {FEW} --level-seed 97 --out r"),
            s.works(f"record sppo-coinrun {FEW} --num-levels 3 --start-level 97 --out r2"),
        ),
    ),
    Case(
        ("none beside --level-seed",),
        lambda s: s.refused(f"record sppo-coinrun {FEW} --level-seed 97 --num-levels 5 --out r"),
        lambda s: s.works(f"record sppo-coinrun {FEW} --level-seed 97 --out r"),
    ),
    Case(
        ("either --states or --episodes, and --states is",),
        lambda s: s.refused("record sppo-coinrun --states 20 --episodes 2 --out r"),
        lambda s: s.works("record sppo-coinrun --episodes 2 --num-envs 2 --frame-size 0 --out r"),
    ),
    Case(
        ("none with --protocol explore, which plays --explore-steps steps in each environment",),
        lambda s: s.refused("record sppo-coinrun --protocol explore --states 20 --out r"),
        lambda s: s.works(
            "record sppo-coinrun --protocol explore --explore-steps 20 --num-envs 2 --frame-size 0 --out r"
        ),
    ),
]  # fmt: skip
