"""Settings of fitting a plane and clusters to the states of a recording."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semantic_rl.config.checks import MAX_SEED, MOST_THREADS, above_zero, at_least, require, within, without_effect
from semantic_rl.config.markers import Positional

Method = Literal["fdr", "kmeans"]
HeadKind = Literal["mlp", "linear"]


@dataclass(frozen=True)
class FitConfig:
    """Fit a plane and clusters to the recorded features of any agent, and judge them on held-out episodes."""

    recording: Positional[Path]
    """Recording folder; the clustering is written into it."""
    codes: int | None = None
    """Number of clusters (default: 8; with --labels, the number of different labels)."""
    name: str | None = None
    """Name of the clustering, which figures, metrics and the explorer take as --clustering; by default it is made of
    head or method and the number of clusters, like mlp-8."""
    head: HeadKind = "mlp"
    """Function from features to the plane: mlp (two hidden layers of 128 with ReLU, fitted to the nearest neighbours of
    all states) keeps neighbourhoods better; linear is the paper's, with the paper's loss over minibatches."""
    method: Method = "fdr"
    """Where the clusters come from: fdr learns codes in the plane; kmeans clusters the features themselves."""
    labels: Path | None = None
    """File with a label for each state (Parquet, CSV or NPZ): these are the clusters, and the plane is fitted to show
    them."""
    features: Literal["features", "observation"] = "features"
    """What is clustered: the recorded features of the agent's network, or what the agent saw, which needs no agent."""
    scaling: Literal["together", "each"] = "together"
    """How features are standardised: centred and divided by one number, which keeps all distances in proportion, or
    each divided by its own standard deviation, for numbers of different units."""
    apply: Path | None = None
    """Another recording: its clustering is taken as it is, and the states of this recording are placed in it."""
    clustering: str | None = None
    """With --apply: which clustering of the other recording; by default the one that it shows."""
    steps: int | None = None
    """Number of steps of Adam (default: 5000 for mlp, 1500 for linear)."""
    minibatch_size: int = 512
    """Number of states in a minibatch."""
    learning_rate: float | None = None
    """Largest learning rate, which falls to 0 along a cosine (default: 0.01 for mlp, 0.003 for linear)."""
    neighbours: int = 15
    """With --head mlp: number of nearest neighbours in the features that the plane draws together."""
    feature_dof: float = 20.0
    """With --head linear: degrees of freedom of Student's t over the features."""
    embedding_dof: float | None = None
    """Degrees of freedom of Student's t over the plane (default: 1 for mlp, as in t-SNE; 20 for linear, as in the
    paper)."""
    fit_states: int = 40_000
    """Largest number of states that plane and codes are fitted to, drawn at random. All states are placed."""
    held_out: float = 0.2
    """Share of the states, in whole episodes, that is held out of the fit; the scores are computed on it."""
    judged_states: int = 5_000
    """Largest number of held-out states that the scores are computed on."""
    baselines: bool = True
    """By default PCA, t-SNE and k-means of the same states are scored too; --no-baselines leaves them out."""
    default: bool = False
    """Show this clustering by default; if the agent has none, the first clustering is shown by default anyway."""
    seed: int = 0
    """Seed of everything random."""
    num_threads: int = 0
    """Number of CPU threads of the search for neighbours and of t-SNE; 0 uses all cores. The optimisation uses one,
    because its steps are small."""
    resume: bool = False
    """Continue a fit that was interrupted, exactly where it stopped."""

    def __post_init__(self) -> None:
        if self.codes is not None:
            within(self, 1, 256, "codes")
        if self.steps is not None:
            within(self, 1, 10_000_000, "steps")
        for name in ("learning_rate", "embedding_dof"):
            if getattr(self, name) is not None:
                above_zero(self, name)
        above_zero(self, "feature_dof")
        within(self, 8, 16_384, "minibatch_size")
        require(self.minibatch_size % 2 == 0, "minibatch_size", self.minibatch_size, "an even number")
        within(self, 1, 1_000, "neighbours")
        within(self, 10, 1_000_000, "fit_states")
        require(0 < self.held_out < 1, "held_out", self.held_out, "a share above 0 and below 1")
        within(self, 10, 50_000, "judged_states")
        within(self, 0, MAX_SEED, "seed")
        within(self, 0, MOST_THREADS, "num_threads")
        at_least(self, 0, "seed")
        if self.head == "linear":
            without_effect(self, "--head linear compares the states of a minibatch", "neighbours")
        else:
            without_effect(self, "--head mlp takes nearest neighbours, not a Student's t of features", "feature_dof")
        if self.labels is not None:
            without_effect(self, "--labels says which clusters there are", "method")
        if self.apply is None:
            without_effect(self, "only --apply takes a clustering from another recording", "clustering")
        else:
            without_effect(
                self, "--apply fits nothing", "codes", "head", "method", "labels", "features", "scaling", "steps",
                "minibatch_size", "learning_rate", "neighbours", "feature_dof", "embedding_dof", "fit_states",
                "held_out", "judged_states", "baselines", "seed", "resume",
            )  # fmt: skip

    @property
    def num_codes(self) -> int:
        """Number of clusters, where no labels say it."""
        return 8 if self.codes is None else self.codes

    @property
    def num_steps(self) -> int:
        """Steps of Adam."""
        return self.steps if self.steps is not None else {"mlp": 5000, "linear": 1500}[self.head]

    @property
    def peak_learning_rate(self) -> float:
        """Largest learning rate."""
        return self.learning_rate if self.learning_rate is not None else {"mlp": 1e-2, "linear": 3e-3}[self.head]

    @property
    def dof(self) -> float:
        """Degrees of freedom of Student's t over the plane."""
        return self.embedding_dof if self.embedding_dof is not None else {"mlp": 1.0, "linear": 20.0}[self.head]
