"""Computes the gradient of t-SNE on a grid, faster and more accurately than openTSNE does.

As in FIt-SNE (Linderman et al., 2019), the mass of each state is spread over nodes of a grid, and the FFT convolves the
grid with the kernel of the forces. openTSNE uses float64, one thread and nine transforms per step. This module uses
float32, several threads and three transforms, because its kernel is the force itself: one grid of masses is transformed
forward, and two grids of forces are transformed back. Mass is spread with cubic B-splines, and their blur is divided
out of the kernel's transform, as in particle-mesh methods (Hockney and Eastwood, 1988); therefore a coarser grid is
more accurate than openTSNE's polynomials. The attraction along the edges of the neighbour graph is computed by
openTSNE.

B is the number of states; H and W are the rows and columns that are transformed.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

fft: Any = scipy.fft
"""SciPy's FFT, untyped because SciPy's annotations do not describe the results correctly."""

LARGEST_SPACING = 0.4
"""Largest distance between nodes. The kernels have width 1; at this spacing, the forces in a finished plane have an
error of less than one percent."""
LEAST_INTERVALS = 80
"""Smallest number of intervals along the longer side of the plane, which is tiny at first."""
MOST_INTERVALS = 2000
"""Largest number of intervals; for larger planes the spacing grows, so that a transform needs at most about 64 MB."""
NODES = 4
"""Number of nodes, along each axis, over which the mass of a state is spread."""
MARGIN = 16
"""Number of empty nodes at the ends of the grid: dividing by the blur spreads values into them, not beyond."""
EPSILON = float(np.finfo(np.float64).eps)

Objective = Callable[..., tuple[float, NDArray[np.float64]]]
"""The function that openTSNE's optimiser calls to get the divergence and its gradient [B, 2]."""


class Repulsion(NamedTuple):
    """The repulsion between all states, where d is the difference of two positions."""

    forces: NDArray[np.float64]
    """[B, 2]: for each state, the sum over all others of d / (1 + d²)²."""
    sum_q: float
    """The sum over all ordered pairs of 1 / (1 + d²)."""


class Spectra(NamedTuple):
    """Fourier transforms of the kernels, with the blur of spreading and reading divided out."""

    similarity: NDArray[np.float32]
    """[H, W / 2 + 1]: of 1 / (1 + d²); times the masses' power spectrum, it adds up to the sum over all pairs."""
    force: NDArray[np.complex64]
    """[2, H, W / 2 + 1]: of d / (1 + d²)², along x and along y."""


def grid_objective(num_threads: int) -> Objective:
    """Return a function that openTSNE accepts as its `negative_gradient_method`."""
    from openTSNE import _tsne  # pyright: ignore[reportAttributeAccessIssue] — compiled

    attract: Any = _tsne.estimate_positive_gradient_nn
    # The grid is often the same as in the previous step.
    spectra = lru_cache(maxsize=1)(kernel_spectra)

    def objective(
        embedding: NDArray[np.float64], P: Any, dof: float, n_jobs: int, should_eval_error: bool, **_: object
    ) -> tuple[float, NDArray[np.float64]]:
        assert dof == 1, "the kernels have one degree of freedom"
        places = np.asarray(embedding)
        forces, sum_q = repel(places, num_threads, spectra)
        gradient = forces / -(sum_q + EPSILON)
        sum_p, divergence, *_more = attract(
            P.indices, P.indptr, P.data, places, places, gradient, dof, n_jobs, should_eval_error
        )
        if should_eval_error:
            divergence += sum_p * np.log(sum_q + EPSILON)
        return divergence, gradient

    return objective


def repel(
    places: NDArray[np.float64], num_threads: int, spectra: Callable[[int, int, float, int], Spectra]
) -> Repulsion:
    """Compute the repulsion between positions [B, 2]; `spectra` is `kernel_spectra` or a cached version of it."""
    low = places.min(0)
    extent = max(float((places.max(0) - low).max()), float(np.finfo(np.float32).tiny))
    spacing = max(min(LARGEST_SPACING, extent / LEAST_INTERVALS), extent / MOST_INTERVALS)

    position = (places - low) / spacing
    first = position.astype(np.int64)
    width, height = (first.max(0) + NODES).tolist()
    x, y = spline_weights(position - first).transpose(2, 0, 1)
    weights = (y[:, :, None] * x[:, None, :]).reshape(len(places), -1)
    stencil = (np.arange(NODES)[:, None] * width + np.arange(NODES)).ravel()
    nodes = (first[:, 1] * width + first[:, 0])[:, None] + stencil
    masses = np.bincount(nodes.ravel(), weights.ravel(), height * width).reshape(height, width).astype(np.float32)

    # The transforms are twice as large, so that the ends do not meet. What is zero or never read is left out.
    rows, columns = (fft.next_fast_len(2 * (size + MARGIN), real=True) for size in (height, width))
    kernels = spectra(rows, columns, spacing, num_threads)
    spectrum = fft.fft(
        fft.rfft(masses, columns, axis=1, workers=num_threads), rows, axis=0, overwrite_x=True, workers=num_threads
    )
    power = spectrum.real**2 + spectrum.imag**2
    sum_q = float((power * kernels.similarity).sum(dtype=np.float64)) - len(places)
    found = fft.ifft(kernels.force * spectrum, axis=1, overwrite_x=True, workers=num_threads)
    found = fft.irfft(found[:, :height], columns, axis=2, workers=num_threads)[:, :, :width].reshape(2, -1)
    forces = [np.einsum("ij,ij->i", force[nodes], weights) for force in found]
    return Repulsion(np.stack(forces, 1), sum_q)


def spline_weights(offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cubic B-spline's weights [B, NODES, 2] at the nodes around offsets [B, 2] in [0, 1)."""
    t = offset
    return np.stack([(1 - t) ** 3, (3 * t - 6) * t**2 + 4, ((-3 * t + 3) * t + 3) * t + 1, t**3], 1) / 6


def kernel_spectra(rows: int, columns: int, spacing: float, num_threads: int) -> Spectra:
    """Transform the kernels on a periodic grid of this many nodes."""
    steps_y, steps_x = (fft.fftfreq(count, 1 / count).astype(np.float32) for count in (rows, columns))
    y, x = steps_y[:, None] * np.float32(spacing), steps_x * np.float32(spacing)
    similarity = 1 / (1 + x**2 + y**2)
    force = np.stack([x * similarity**2, y * similarity**2])
    # Half-way round is as far to the left as to the right; a force there would be a push to one side.
    force[0, :, 2 * abs(steps_x) == columns] = 0
    force[1, 2 * abs(steps_y) == rows] = 0
    # A cubic B-spline's transform is sinc⁴. It blurs twice: when masses are spread and when forces are read.
    blur = np.sinc(fft.fftfreq(rows))[:, None] ** 8 * np.sinc(fft.rfftfreq(columns)) ** 8
    sharpen = (1 / blur).astype(np.float32)
    # By Parseval's theorem; what a real transform leaves out of the spectrum's columns counts as well.
    pairs = fft.rfft2(similarity, workers=num_threads).real * sharpen / similarity.size
    pairs[:, 1 : (columns + 1) // 2] *= 2
    return Spectra(pairs.astype(np.float32), fft.rfft2(force, workers=num_threads) * sharpen)
