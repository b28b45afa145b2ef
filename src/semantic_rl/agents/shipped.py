"""Trained agents that ship with the package, each a folder with weights, card and learning curve.

    sppo-coinrun/
      card.json                 what the agent is, its scores, how to train it again
      state.json, policy.safetensors   a checkpoint without optimiser state; any command accepts it as AGENT
      progress.csv              its learning curve

`semantic-rl pack` makes such a folder from a run.
"""

from pathlib import Path
from typing import Any, NamedTuple

from semantic_rl.artifacts import CARD_FILE, CARD_FORMAT, CARD_VERSION
from semantic_rl.errors import UserError, nearest
from semantic_rl.json_files import read_json_object

FOLDER = Path(__file__).resolve().parent


class ShippedAgent(NamedTuple):
    """A packed agent."""

    name: str
    path: Path
    card: dict[str, Any]

    def line(self) -> str:
        """Describe the agent and its score in one line."""
        card, scores = self.card, self.card["scores"]
        low, high = scores["confidence_interval"]
        return (
            f"{card['algorithm'].upper()}, {card['env']} ({card['distribution_mode']}), "
            f"{card['timesteps'] / 1e6:.2f}M steps, seed {card['seed']}: mean return {scores['mean_return']:.2f} "
            f"({low:.2f} to {high:.2f}), success {scores['success_rate']:.0%} over {scores['episodes']} episodes"
        )

    def table(self) -> str:
        """Return the card as readable text."""
        card, scores, trained = self.card, self.card["scores"], self.card["trained"]
        low, high = scores["confidence_interval"]
        levels = f"{card['num_levels']} levels from {card['start_level']}" if card["num_levels"] else "all levels"
        rows = [
            ("agent", f"{self.name} ({card['algorithm']}, {card['num_codes']} codes)"),
            ("game", f"{card['env']}, {card['distribution_mode']}, trained on {levels}"),
            ("training", f"{card['timesteps']:,} steps, seed {card['seed']}, PyTorch {trained['versions']['torch']}"),
            ("mean return", f"{scores['mean_return']:.2f}   95% interval {low:.2f} to {high:.2f} (bootstrap)"),
            ("success rate", f"{scores['success_rate']:.1%} of {scores['episodes']} episodes"),
            ("scores by", card["scores_by"]),
            ("again with", card["reproduce"]),
            ("folder", str(self.path)),
            *([("note", card["note"])] if card["note"] else []),
        ]
        return "\n".join(f"{name:<13} {value}" for name, value in rows)


def read_card(path: Path) -> dict[str, Any]:
    """Return the card in the folder of a packed agent.

    Raises UserError if there is none, if it is foreign or newer, or if a field is invalid.
    """
    card = read_json_object(path / CARD_FILE, "expected an agent made by 'semantic-rl pack'.")
    if card.get("format") != CARD_FORMAT:
        raise UserError(f"{card.path}: not an agent's card (its format is not '{CARD_FORMAT}').")
    if card.integer("version", 1) > CARD_VERSION:
        raise UserError(f"{card.path}: written by a newer semantic-rl (version {card['version']}); update semantic-rl.")
    for name in ("algorithm", "env", "distribution_mode", "note", "scores_by", "reproduce", "policy_sha256"):
        card.text(name)
    for name in ("num_levels", "start_level", "seed", "timesteps", "num_codes"):
        card.integer(name)
    scores = card.object("scores")
    for name in ("mean_return", "success_rate"):
        scores.number(name)
    scores.integer("episodes", 1)
    match scores.array("confidence_interval"):
        case [int() | float(), int() | float()]:
            pass
        case _:
            scores.wrong("confidence_interval", "two numbers")
    card.object("trained").object("versions").text("torch")
    return dict(card)


def shipped_agents() -> list[ShippedAgent]:
    """Return the agents that ship with the package, sorted by name."""
    folders = sorted(path.parent for path in FOLDER.glob(f"*/{CARD_FILE}"))
    return [ShippedAgent(path.name, path, read_card(path)) for path in folders]


def find_agent(name: str) -> ShippedAgent:
    """Return the shipped agent of this name; raises UserError with the available names."""
    agents = {agent.name: agent for agent in shipped_agents()}
    if name not in agents:
        raise UserError(
            f"agent: no agent '{name}' ships with semantic-rl.{nearest(name, list(agents))} There are: "
            f"{', '.join(agents)}."
        )
    return agents[name]
