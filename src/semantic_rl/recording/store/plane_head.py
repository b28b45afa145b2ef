"""The function from features to a plane and its clusters that `fit` finds, and its safetensors file. Needs no PyTorch.

The features are projected (only observations are), centred and scaled, then passed through linear layers, with ReLU in
between for an `mlp`. A state belongs to the nearest code: in the plane or, for clusterings that were made there, in the
scaled features. All is computed in float64 and rounded once, so that the same features get the same place whichever
other states are placed with them. Axes: B states, D features, K codes.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save_file

from semantic_rl.errors import UserError
from semantic_rl.input_places import read_file

MOST_BYTES = 500_000_000
"""Largest accepted file of weights; one of 256 features has 0.2 MB."""
MOST_LAYERS = 16
ROWS_AT_ONCE = 4096
MOST_CODES = 256

Layers = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Weights [out, in] and biases [out]."""


class Placed(NamedTuple):
    """Places and clusters of states."""

    embedding: NDArray[np.float32]
    """[B, 2]"""
    code_index: NDArray[np.uint8]
    """[B]"""
    code_distance: NDArray[np.float32]
    """[B, K]: distance to every code, in the space in which the codes lie."""


class PlaneHead(NamedTuple):
    """What `fit` finds."""

    projection: NDArray[np.float32] | None
    """[W, D]: from raw observations to features; None where the features are the recorded ones."""
    mean: NDArray[np.float32]
    """[D] (with a projection [W])."""
    scale: NDArray[np.float32]
    """[D], above 0: what centred features are divided by."""
    layers: Layers
    is_linear: bool
    """Whether there is no ReLU between the layers."""
    codebook: NDArray[np.float32]
    """[K, 2]: the codes; of clusterings that were made among the features, the mean place of each cluster."""
    centres: NDArray[np.float32] | None
    """[K, D]: the codes of clusterings that were made among the scaled features; None where the codebook divides."""

    @property
    def num_inputs(self) -> int:
        """Return the number of features, or of numbers of an observation, that a state has."""
        return len(self.mean)

    def scaled(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """Return features [B, W] projected, centred and scaled: [B, D]."""
        centred = features.astype(np.float64) - self.mean
        return (centred if self.projection is None else centred @ self.projection) / self.scale

    def embed(self, scaled: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the places [B, 2] of scaled features [B, D]."""
        values = scaled
        for index, (weight, bias) in enumerate(self.layers):
            values = values @ weight.T.astype(np.float64) + bias
            if not self.is_linear and index + 1 < len(self.layers):
                np.maximum(values, 0, out=values)
        return values.astype(np.float32)

    def place(self, features: NDArray[Any]) -> Placed:
        """Place states by their features [B, D]; raises UserError for another shape or numbers that are not finite."""
        features = np.asarray(features)
        if features.ndim != 2 or features.shape[1] != self.num_inputs or features.dtype.kind not in "fiub":
            raise UserError(
                f"features: got an array {list(features.shape)} of {features.dtype}, expected numbers "
                f"[states, {self.num_inputs}]."
            )
        if not np.isfinite(features).all():
            row = int(np.argwhere(~np.isfinite(features))[0][0])
            raise UserError(f"features: row {row} holds a number that is not finite, so it has no place.")
        parts = [self._place(features[start : start + ROWS_AT_ONCE]) for start in range(0, len(features), ROWS_AT_ONCE)]
        if not parts:
            parts = [self._place(features)]
        return Placed(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _place(self, features: NDArray[Any]) -> Placed:
        # Numbers overflow in a damaged head; who places states looks whether all are finite.
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = self.scaled(features)
            embedding = self.embed(scaled)
            points, codes = (embedding, self.codebook) if self.centres is None else (scaled, self.centres)
            distance = np.sqrt(squared_distances(points.astype(np.float64), codes)).astype(np.float32)
        return Placed(embedding, distance.argmin(1).astype(np.uint8), distance)


def squared_distances(points: NDArray[np.float64], codes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the squared distances [B, K] of points [B, W] to codes [K, W]."""
    return np.stack([np.square(points - code.astype(np.float64)).sum(1) for code in codes], 1)


def write_head(path: Path, head: PlaneHead) -> None:
    """Write a head; raises OSError."""
    tensors: dict[str, NDArray[Any]] = {"mean": head.mean, "scale": head.scale, "codebook": head.codebook}
    for name, tensor in (("projection", head.projection), ("centres", head.centres)):
        if tensor is not None:
            tensors[name] = tensor
    for index, (weight, bias) in enumerate(head.layers):
        tensors |= {f"layers.{index}.weight": weight, f"layers.{index}.bias": bias}
    try:
        save_file({name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}, path)
    except SafetensorError as error:  # this is how safetensors reports a full disk
        raise OSError(str(error)) from error


def read_head(path: Path, is_linear: bool, way_out: str) -> PlaneHead:
    """Read a head; raises UserError, which ends in `way_out`, unless all shapes fit and all numbers are finite."""
    content = read_file(path, MOST_BYTES, way_out)
    try:
        tensors: dict[str, NDArray[Any]] = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} cannot be read: {' '.join(str(error).split())}; {way_out}") from error

    def take(name: str, *shape: int | None) -> NDArray[np.float32]:
        found = tensors.get(name)
        expected = ", ".join("any" if side is None else str(side) for side in shape)
        if found is None:
            raise UserError(f"{path}: '{name}' is missing; {way_out}")
        fits = len(shape) == found.ndim and all(a in (None, b) for a, b in zip(shape, found.shape, strict=False))
        if not fits or found.dtype != np.float32 or 0 in found.shape:
            raise UserError(
                f"{path}: '{name}' is {list(found.shape)} of {found.dtype}, expected [{expected}] of float32; {way_out}"
            )
        if not np.isfinite(found).all():
            raise UserError(f"{path}: '{name}' holds a number that is not finite; {way_out}")
        return found

    mean = take("mean", None)
    projection = take("projection", len(mean), None) if "projection" in tensors else None
    width = len(mean) if projection is None else projection.shape[1]
    scale = take("scale", width)
    if scale.min() <= 0:
        raise UserError(f"{path}: 'scale' holds a number that is not above 0; {way_out}")
    layers, size = Layers(), width
    for index in range(MOST_LAYERS):
        if f"layers.{index}.weight" not in tensors:
            break
        weight = take(f"layers.{index}.weight", None, size)
        layers.append((weight, take(f"layers.{index}.bias", len(weight))))
        size = len(weight)
    if not layers or size != 2:
        raise UserError(f"{path}: its layers do not end in a plane; {way_out}")
    codebook = take("codebook", None, 2)
    if len(codebook) > MOST_CODES:
        raise UserError(f"{path}: {len(codebook):,} codes, expected at most {MOST_CODES}; {way_out}")
    centres = take("centres", len(codebook), width) if "centres" in tensors else None
    return PlaneHead(projection, mean, scale, layers, is_linear, codebook, centres)
