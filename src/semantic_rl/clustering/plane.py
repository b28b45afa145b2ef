"""Fits the function from standardised features to the plane, and the codes in it, by minibatches and Adam.

Head `linear`: the paper's map and losses (FDR over the minibatch, codebook, commitment), with the features frozen. Head
`mlp`: the FDR loss over pairs of nearest neighbours; then the codes are learned in the plane by the codebook loss. The
codes begin from k-means++ once the plane has settled, and are refined exactly at the end (`codes`).

A step is too small for several threads, which would only wait for each other, so it takes one. Everything random comes
from one generator whose state is in the checkpoint: a fit that is interrupted and resumed ends with the same bytes.
"""

import json
import math
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn

from semantic_rl.atomic_write import whole_file
from semantic_rl.clustering.adam import Adam
from semantic_rl.clustering.codes import find_codes
from semantic_rl.config.fit import FitConfig
from semantic_rl.errors import UserError
from semantic_rl.input_places import read_file
from semantic_rl.losses.neighbours import neighbour_fdr_loss
from semantic_rl.losses.semantic import codebook_loss, commitment_loss, fdr_loss
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store.plane_head import Layers
from semantic_rl.stop_signals import StopSignals

HIDDEN_SIZE = 128
CODES_FROM = 0.7
"""Share of the steps after which the codes begin."""
WARM_UP = 0.05
"""Share of the steps in which the learning rate rises."""
STEPS_BETWEEN_LOOKS = 50
SECONDS_BETWEEN_CHECKPOINTS = 30.0
MOST_BYTES = 100_000_000
FDR_COEF, COMMITMENT_COEF = 500.0, 0.25
"""Weights of the linear head's losses, as in the paper."""


class Fitted(NamedTuple):
    """A fitted plane."""

    layers: Layers
    codebook: NDArray[np.float32]
    """[K, 2]: the codes as learned; not yet refined."""


def make_network(num_features: int, is_linear: bool) -> nn.Sequential:
    """Make the map to the plane."""
    if is_linear:
        return nn.Sequential(nn.Linear(num_features, HIDDEN_SIZE), nn.Linear(HIDDEN_SIZE, 2))
    sizes = (num_features, HIDDEN_SIZE, HIDDEN_SIZE)
    layers: list[nn.Module] = []
    for inner, outer in pairwise(sizes):
        layers += [nn.Linear(inner, outer), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(HIDDEN_SIZE, 2))


def linear_layers(network: nn.Sequential) -> list[nn.Linear]:
    """Return the layers that have weights."""
    return [layer for layer in network if isinstance(layer, nn.Linear)]


class PlaneFit:
    """A fit under way: network, codes, optimiser and generator."""

    def __init__(self, features: NDArray[np.float32], neighbours: NDArray[np.int32] | None, config: FitConfig) -> None:
        """Begin a fit to standardised features [B, D]; `neighbours` [B, N] are for the mlp head."""
        self._features = torch.from_numpy(features)
        self._neighbours = None if neighbours is None else torch.from_numpy(neighbours).long()
        self._config = config
        self._learns_codes = config.method == "fdr" and config.labels is None
        self._generator = torch.Generator().manual_seed(config.seed)
        self.network = make_network(features.shape[1], config.head == "linear")
        for layer in linear_layers(self.network):
            bound = math.sqrt((3 if config.head == "linear" else 6) / layer.in_features)
            nn.init.uniform_(layer.weight, -bound, bound, generator=self._generator)
            nn.init.zeros_(layer.bias)
        self.codebook = nn.Parameter(torch.zeros(config.num_codes, 2))
        weights = list(self.network.parameters())
        self._parameters = [*weights, self.codebook]
        # The codes have one of their own, which counts its steps from when they begin to learn.
        self._optimizers = Adam(weights), Adam([self.codebook])
        self.step = 0
        self.loss = math.nan

    def run(self, checkpoint: Path, save_checkpoints: bool, on_progress: OnProgress) -> Fitted:
        """Take the remaining steps; SIGINT and SIGTERM leave a checkpoint. Raises UserError if the loss is not finite.

        A signal that comes in the middle of a step waits for its end: half a step could not be continued.
        """
        former = torch.get_num_threads()
        torch.set_num_threads(1)
        saved = time.monotonic()
        try:
            with StopSignals() as signals:
                while self.step < self._config.num_steps:
                    self._take_step()
                    try:
                        if self.step % STEPS_BETWEEN_LOOKS == 0:
                            on_progress(self.step, self._config.num_steps)
                        signals.stop()
                    except (KeyboardInterrupt, SystemExit):
                        if save_checkpoints:
                            self.save(checkpoint)
                        raise
                    if save_checkpoints and time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                        self.save(checkpoint)
                        saved = time.monotonic()
        finally:
            torch.set_num_threads(former)
        on_progress(self.step, self._config.num_steps)
        layers = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in linear_layers(self.network)]
        return Fitted(layers, self.codebook.detach().numpy())

    def _take_step(self) -> None:
        config = self._config
        first_with_codes = int(CODES_FROM * config.num_steps)
        if self._learns_codes and self.step == first_with_codes:
            self._begin_codes()
        learns_codes = self._learns_codes and self.step >= first_with_codes
        batch = self._draw()
        embedding = self.network(self._features[batch])
        if self._neighbours is None:
            features = self._features[batch]
            loss = FDR_COEF * fdr_loss(features, embedding, config.feature_dof, config.dof)
        else:
            loss = neighbour_fdr_loss(embedding, config.dof)
        if learns_codes:
            with torch.no_grad():
                nearest = (embedding.unsqueeze(1) - self.codebook).square().sum(2).argmin(1)
            code_vector = self.codebook[nearest]
            loss = loss + codebook_loss(embedding, code_vector)
            if self._neighbours is None:
                loss = loss + COMMITMENT_COEF * commitment_loss(embedding, code_vector)
        optimizers = self._optimizers if learns_codes else self._optimizers[:1]
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        learning_rate = config.peak_learning_rate * _schedule((self.step + 0.5) / config.num_steps)
        for optimizer in optimizers:
            optimizer.step(learning_rate)
        self.step += 1
        self.loss = float(loss.detach())
        if not math.isfinite(self.loss):
            raise UserError(
                f"the fit diverged in step {self.step:,}: the loss is {self.loss}; give a lower --learning-rate than "
                f"{config.peak_learning_rate:g}."
            )

    def _draw(self) -> Tensor:
        """Draw the rows of a minibatch: at random, or pairs of neighbours."""
        count, size = len(self._features), self._config.minibatch_size
        if self._neighbours is None:
            return torch.randint(count, (min(size, count),), generator=self._generator)
        first = torch.randint(count, (size // 2,), generator=self._generator)
        column = torch.randint(self._neighbours.shape[1], (size // 2,), generator=self._generator)
        return torch.cat([first, self._neighbours[first, column]])

    def _begin_codes(self) -> None:
        """Place the codes by k-means++ and Lloyd's algorithm in the current plane."""
        with torch.no_grad():
            plane = self.network(self._features).numpy()
            found = find_codes(plane, self._config.num_codes, np.random.default_rng(self._config.seed))
            self.codebook.copy_(torch.from_numpy(found.codes.astype(np.float32)))

    def _states(self) -> list[tuple[nn.Parameter, Adam, tuple[Tensor, Tensor]]]:
        """Return each parameter with its optimiser and its moments there."""
        of_each = [(optimizer, moments) for optimizer in self._optimizers for moments in optimizer.moments()]
        return [(parameter, *state) for parameter, state in zip(self._parameters, of_each, strict=True)]

    def save(self, path: Path) -> None:
        """Write a checkpoint; raises OSError."""
        tensors = {"generator": self._generator.get_state()}
        for index, (parameter, optimizer, moments) in enumerate(self._states()):
            tensors[f"{index}"] = parameter.detach()
            if optimizer.num_steps:
                tensors[f"{index}.step"] = torch.tensor(float(optimizer.num_steps))
                tensors[f"{index}.exp_avg"], tensors[f"{index}.exp_avg_sq"] = moments
        metadata = {"step": str(self.step), "settings": json.dumps(fit_settings(self._config), sort_keys=True)}
        with whole_file(path) as temporary:
            try:
                save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, metadata)
            except SafetensorError as error:  # this is how safetensors reports a full disk
                raise OSError(str(error)) from error

    def restore(self, path: Path) -> None:
        """Continue from a checkpoint; raises UserError if it is damaged or of a fit with other settings."""
        way_out = f"delete {path.parent} and fit without --resume."
        content = read_file(path, MOST_BYTES, way_out)
        try:
            tensors = load(content)
            length = int.from_bytes(content[:8], "little")
            metadata = json.loads(content[8 : 8 + length])["__metadata__"]
            settings, step = json.loads(metadata["settings"]), int(metadata["step"])
        except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(f"{path} cannot be read: {' '.join(str(error).split())}; {way_out}") from error
        expected = fit_settings(self._config)
        other = [name for name in expected if settings.get(name) != expected[name]]
        if other:
            raise UserError(
                f"{other[0]}: got {expected[other[0]]!r}, but the interrupted fit in {path.parent} has "
                f"{settings.get(other[0])!r}; give the same settings, or {way_out}"
            )
        try:
            self._generator.set_state(tensors["generator"])
            for index, (parameter, optimizer, (mean, square)) in enumerate(self._states()):
                with torch.no_grad():
                    parameter.copy_(_shaped(tensors[f"{index}"], parameter))
                if f"{index}.step" in tensors:
                    optimizer.num_steps = int(tensors[f"{index}.step"])
                    mean.copy_(_shaped(tensors[f"{index}.exp_avg"], parameter))
                    square.copy_(_shaped(tensors[f"{index}.exp_avg_sq"], parameter))
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise UserError(f"{path} does not fit: {' '.join(str(error).split())}; {way_out}") from error
        self.step = step


NOT_FITTED_WITH = frozenset(
    {"recording", "name", "apply", "clustering", "default", "num_threads", "resume", "judged_states", "baselines"}
)
"""Settings that do not change what is fitted."""


def fit_settings(config: FitConfig) -> dict[str, Any]:
    """Return the settings that a fit depends on, with the defaults of its head filled in, as JSON values."""
    found = {name: value for name, value in vars(config).items() if name not in NOT_FITTED_WITH}
    resolved = {"codes": config.num_codes, "steps": config.num_steps, "learning_rate": config.peak_learning_rate}
    return {**found, **resolved, "embedding_dof": config.dof, "labels": config.labels and config.labels.name}


def _schedule(share: float) -> float:
    """Return the learning rate's share of its peak after a share of the steps: a short rise, then a cosine to 0."""
    if share < WARM_UP:
        return share / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP)))


def _shaped(tensor: Tensor, like: Tensor) -> Tensor:
    if tensor.shape != like.shape or tensor.dtype != like.dtype or not bool(tensor.isfinite().all()):
        raise ValueError(f"a tensor of it is {list(tensor.shape)}, expected {list(like.shape)}")
    return tensor
