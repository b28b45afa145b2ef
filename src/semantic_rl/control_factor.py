"""Tells whether an agent's semantic clustering module was ever trained, that is, whether the control factor λ was > 0.

λ weights the module's losses. It starts at 0 and is set every `semantic_interval` updates from the mean return. As long
as it is 0, no gradient reaches the FDR head and the codebook, which keep their random initialisation.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from semantic_rl.artifacts import CHECKPOINTS_FOLDER, PROGRESS_FILE
from semantic_rl.errors import UserError
from semantic_rl.progress_log import whole_rows

UPDATE_COLUMN, WEIGHT_COLUMN = "misc/nupdates", "semantic/weight"


def was_ever_above_zero(checkpoint: Path, state: Mapping[str, Any]) -> bool | None:
    """Say whether λ was above 0 in any update before a checkpoint; `state` is the content of its `state.json`.

    Returns None if that is unknown: for an imported agent, for one without the module, and for an old checkpoint, which
    does not count these updates, unless the run's `progress.csv` still shows it.
    """
    config = state.get("config")
    if not isinstance(config, dict) or "imported_from" in state:
        return None
    settings = cast(dict[str, Any], config)
    if settings.get("algorithm") != "sppo":
        return None
    weight, counted = _number(state.get("semantic_weight")), _number(state.get("semantic_updates"))
    if (weight or 0) > 0:
        return True
    if counted is not None:
        return counted > 0
    update, interval = _number(state.get("update")), _number(settings.get("semantic_interval"))
    if weight is None or update is None:
        return None
    if interval is not None and 0 < update < interval:
        return False
    return _in_log(checkpoint, int(update))


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _in_log(checkpoint: Path, num_updates: int) -> bool | None:
    """Say whether λ was above 0 in any row of the run's log up to an update; None unless every update has a row."""
    run = checkpoint.parent.parent if checkpoint.parent.name == CHECKPOINTS_FOLDER else checkpoint
    try:
        rows = whole_rows(run / PROGRESS_FILE)
        weights = {int(row[UPDATE_COLUMN]): float(row[WEIGHT_COLUMN]) for row in rows}
    except (UserError, KeyError, ValueError):
        return None
    known = [weights[update] for update in range(1, num_updates + 1) if update in weights]
    if any(weight > 0 for weight in known):
        return True
    return False if num_updates and len(known) == num_updates else None


def untrained_note(num_updates: int | None) -> str:
    """Return the note that an agent's clusters and plane were never trained, with advice."""
    updates = "every update" if num_updates is None or num_updates < 2 else f"all {num_updates:,} updates"
    return (
        f"The clusters and the plane were never trained, since the control factor λ was 0 in {updates} of this agent: "
        "train on, with --resume and a higher --timesteps, until semantic/weight in progress.csv is above 0."
    )


NO_LOSSES_NOTE = (
    "The clusters and the plane were never trained, since their losses had no weight in this agent's training "
    "(fdr_coef and vq_coef were 0): train an agent with other weights, or fit clusters to a recording of this one."
)


def has_no_losses(settings: Mapping[str, Any]) -> bool:
    """Say whether the settings of a training give no weight to the losses of plane and clusters."""
    return all(_number(settings.get(name)) == 0 for name in ("fdr_coef", "vq_coef"))


def recorded_note(description: Mapping[str, Any]) -> str | None:
    """Return the note if a `recording.json` says that plane and clusters were never trained, else None."""
    agent = description.get("agent")
    if not isinstance(agent, dict):
        return None
    found = cast(dict[str, Any], agent)
    settings = found.get("config")
    if isinstance(settings, dict) and has_no_losses(cast(dict[str, Any], settings)):
        return NO_LOSSES_NOTE
    if found.get("semantic_weight_was_above_zero") is not False:
        return None
    update = _number(found.get("update"))
    return untrained_note(None if update is None else int(update))
