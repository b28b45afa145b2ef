"""The embeddings and clusterings that are compared: FDR, k-means, t-SNE, PCA."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning

from semantic_rl.analysis.embedding import METHOD_TITLES, are_alike
from semantic_rl.analysis.metrics.result import Omission
from semantic_rl.errors import UserError

KMEANS_STARTS = 10


class MeasuredView(NamedTuple):
    """A plane and clusters of B states."""

    key: str
    title: str
    about: str
    plane: NDArray[np.floating] | None
    """[B, 2]; None if the clusters come without one."""
    labels: NDArray[np.int64]
    """[B]."""
    num_clusters: int
    """Number of available clusters, used or not."""


Tsne = Callable[[], NDArray[np.floating]]
"""Returns t-SNE of the features [B, 2]; raises UserError if there are too few states."""


def fdr_view(
    embedding: NDArray[np.floating], code_index: NDArray[np.int64], num_codes: int, fitted: str | None = None
) -> MeasuredView:
    """Return the agent's own embedding and clusters, or those of the clustering of the name `fitted`."""
    about = (
        "the agent's own plane, and its codes: a state's cluster is the nearest code"
        if fitted is None
        else f"the plane that was fitted afterwards for the clustering '{fitted}', and its clusters"
    )
    return MeasuredView("fdr", METHOD_TITLES["fdr"], about, embedding, code_index, num_codes)


def kmeans_view(features: NDArray[np.float32], num_clusters: int, seed: int) -> MeasuredView:
    """Return k-means on the features."""
    about = f"k-means ({num_clusters} clusters) on the {features.shape[1]} features; no plane"
    return MeasuredView(
        "kmeans", METHOD_TITLES["kmeans"], about, None, kmeans(features, num_clusters, seed), num_clusters
    )


def baseline_views(
    features: NDArray[np.float32], num_clusters: int, seed: int, tsne: Tsne | None
) -> tuple[list[MeasuredView], list[Omission]]:
    """Return k-means on the features [B, D] and, unless `tsne` is None, on t-SNE and on PCA; and what is omitted."""
    if len(features) < num_clusters:
        why = f"{num_clusters} clusters need as many states, and there are {len(features)}"
        return [], [Omission("k-means on the features" if tsne is None else "all baselines", why)]
    views, omitted = [kmeans_view(features, num_clusters, seed)], list[Omission]()
    if tsne is not None:
        on_plane = f"and k-means ({num_clusters} clusters) on that plane"
        try:
            plane = tsne()
            about = f"t-SNE of the features, {on_plane}"
            views.append(
                MeasuredView(
                    "tsne", METHOD_TITLES["tsne"], about, plane, kmeans(plane, num_clusters, seed), num_clusters
                )
            )
        except UserError as error:
            omitted.append(Omission(METHOD_TITLES["tsne"], str(error)))
        plane = pca(features)
        about = f"first two principal components of the features, {on_plane}"
        views.append(
            MeasuredView("pca", METHOD_TITLES["pca"], about, plane, kmeans(plane, num_clusters, seed), num_clusters)
        )
    return views, omitted


def kmeans(points: NDArray[np.floating], num_clusters: int, seed: int) -> NDArray[np.int64]:
    """Cluster points [B, D] with the best of ten starts; fewer clusters if there are fewer distinct points."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its warning about coinciding points
        fitted = KMeans(num_clusters, n_init=KMEANS_STARTS, random_state=seed).fit(points)  # pyright: ignore[reportArgumentType]
    return np.asarray(fitted.labels_, np.int64)


def pca(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the first two principal components [B, 2]; zeros if all features are alike."""
    if are_alike(features):
        return np.zeros((len(features), 2))
    return np.asarray(PCA(2, svd_solver="covariance_eigh").fit_transform(features.astype(np.float64)))
