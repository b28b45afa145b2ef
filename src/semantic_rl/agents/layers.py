"""Records the output of one layer of a network with a forward hook, and lists the layers of a network.

Axes: B rows, D features.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from semantic_rl.agents.protocol import Agent
from semantic_rl.errors import UserError, nearest

PROBED_ROWS = 2
"""Batch size with which a network is tried: two, so that the batch axis can be told from the others."""
MOST_NAMED = 8
"""Largest number of layers that a message names."""


class Layer(NamedTuple):
    """A layer whose output can be recorded."""

    name: str
    num_features: int
    """Numbers in its output for one state."""
    shape: tuple[int, ...]
    """Shape of its output for one state."""
    kind: str
    """Class of the module."""


class Tap:
    """Keeps the last output of one layer of a network."""

    def __init__(self, network: nn.Module, layer: str, probe: Callable[[], Any]) -> None:
        """Hook into `layer`; `probe` runs the network on PROBED_ROWS observations, as acting does.

        Raises UserError if there is no such layer (with the nearest names), if it takes no part in acting, or if its
        output is not a tensor with one row for each state.
        """
        self.layer = layer
        self._output: Any = None
        module = _find(network, layer, probe)
        self._is_recurrent = isinstance(module, nn.RNNBase)
        self._batch_first = isinstance(module, nn.RNNBase) and module.batch_first
        self._handle = module.register_forward_hook(self._keep)
        probe()
        if self._output is None:
            self._handle.remove()
            raise UserError(
                f"layer: '{layer}' is not used to choose actions, so it has no output to record. "
                f"Layers that can be recorded: {_named(network, probe)}."
            )
        features = self.features()
        if len(features) != PROBED_ROWS or not features.shape[1]:
            self._handle.remove()
            raise UserError(
                f"layer: '{layer}' returns {list(features.shape)} for {PROBED_ROWS} states, expected one row for each. "
                f"Layers that can be recorded: {_named(network, probe)}."
            )
        self.num_features = features.shape[1]

    def _keep(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._output = _copied(output)

    def features(self) -> Tensor:
        """Return the layer's output [B, D] in the last forward pass, float32; raises UserError if it is no tensor."""
        output = rows_of(self._output, self._is_recurrent, self._batch_first)
        if output is None:
            kind = type(self._output).__name__
            raise UserError(
                f"layer: '{self.layer}' returns a {kind}, expected a tensor with one row for each state; choose a "
                "layer inside or after it ('semantic-rl layers AGENT' lists them)."
            )
        return output.reshape(len(output), -1).float() if output.ndim else output.reshape(1, 1)


def _copied(output: Any) -> Any:
    """Return a module's output with what `rows_of` reads in memory of its own: later modules may work in place."""
    if isinstance(output, Tensor):
        return output.clone()
    if isinstance(output, tuple) and output and isinstance(output[0], Tensor):
        return output[0].clone(), *output[1:]  # pyright: ignore[reportUnknownVariableType]
    return output  # pyright: ignore[reportUnknownVariableType]


def rows_of(output: Any, is_recurrent: bool, batch_first: bool) -> Tensor | None:
    """Return a module's output as a tensor [B, …]; None if it is something else.

    PyTorch's recurrent layers put out (output, state), the former [1, B, D] or [B, 1, D] while an agent acts.
    """
    if is_recurrent and isinstance(output, tuple):
        first: Any = output[0]  # pyright: ignore[reportUnknownVariableType]
        if isinstance(first, Tensor) and first.ndim == 3:
            return first[:, -1] if batch_first else first[-1]
        return first if isinstance(first, Tensor) else None
    return output if isinstance(output, Tensor) and output.is_floating_point() else None


def list_layers(agent: Agent) -> list[Layer]:
    """Return the layers of an agent whose output can be recorded, in the order in which they run.

    Raises UserError if the agent does not tell.
    """
    listing = getattr(agent, "layers", None)
    if listing is None:
        raise UserError(
            f"layers: an agent of type {type(agent).__name__} does not list its layers; it records '{agent.layer}'."
        )
    return listing()


def layers_of(network: nn.Module, probe: Callable[[], Any]) -> list[Layer]:
    """Return the layers of a network that `probe` runs through and whose output has a row for each state."""
    found: dict[str, Layer] = {}
    handles: list[Any] = []

    def watch(name: str, module: nn.Module) -> None:
        is_recurrent = isinstance(module, nn.RNNBase)
        batch_first = isinstance(module, nn.RNNBase) and module.batch_first

        def see(_: nn.Module, inputs: Any, output: Any) -> None:
            rows = rows_of(output, is_recurrent, batch_first)
            if rows is not None and rows.ndim > 1 and len(rows) == PROBED_ROWS and rows[0].numel():
                found[name] = Layer(name, rows[0].numel(), tuple(rows.shape[1:]), type(module).__name__)

        handles.append(module.register_forward_hook(see))

    for name, module in network.named_modules():
        if name:
            watch(name, module)
    try:
        with torch.no_grad():
            probe()
    finally:
        for handle in handles:
            handle.remove()
    return list(found.values())


def _find(network: nn.Module, layer: str, probe: Callable[[], Any]) -> nn.Module:
    try:
        if layer:
            return network.get_submodule(layer)
    except AttributeError:
        pass
    names = [name for name, _ in network.named_modules() if name]
    raise UserError(f"layer: there is no '{layer}'.{nearest(layer, names)} There are: {_named(network, probe)}.")


def _named(network: nn.Module, probe: Callable[[], Any]) -> str:
    names = [f"{layer.name} ({layer.num_features})" for layer in layers_of(network, probe)]
    shown = ", ".join(names[-MOST_NAMED:])
    return shown if len(names) <= MOST_NAMED else f"{shown}, and {len(names) - MOST_NAMED} before these"
