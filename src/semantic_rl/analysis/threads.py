"""How the threads of scikit-learn and openTSNE wait for each other."""

import os


def wait_asleep() -> None:
    """Let OpenMP's threads sleep while they wait, unless the user's OMP_WAIT_POLICY says otherwise.

    To be called before either library is imported. By default threads spin, which costs t-SNE half as much processor
    time again, and beside other programs, whose work they keep from running, much more. The network's many short
    operations are another matter: there waking sleepers takes longer than the work, so training leaves them spinning.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
