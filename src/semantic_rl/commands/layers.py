"""semantic-rl layers."""

import json

from semantic_rl.commands.parse import parse
from semantic_rl.config import LayersConfig


def run(arguments: list[str]) -> None:
    """List the layers of an agent."""
    config = parse(LayersConfig, arguments, "layers")
    from semantic_rl.agents.open import agent_layers

    layers, default = agent_layers(config.agent, config.env or None, config.trust)
    if config.json:
        print(json.dumps([{**layer._asdict(), "default": layer.name == default} for layer in layers], indent=2))
        return
    width = max((len(layer.name) for layer in layers), default=0)
    print(f"{'layer':<{width}}  numbers a state  module")
    for layer in layers:
        note = "   recorded by default" if layer.name == default else ""
        print(f"{layer.name:<{width}}  {layer.num_features:>15}  {layer.kind}{note}")
