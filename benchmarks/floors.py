"""What an update must cost at least: operations, and traffic to a GPU's memory, counted from the network itself.

    python benchmarks/floors.py [--teraflops 989] [--terabytes 4.8]

Nothing is computed: pretended tensors pass through a minibatch of learning and a policy step in the way of a GPU, and
every kernel's operations and bytes are added up. Traffic "as launched" lets each kernel read its inputs from and write
its results to memory; "fused" is that of convolutions and matrix products alone, which is what remains if all else
runs within them.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from semantic_rl.config import PPOConfig, SemanticConfig, TrainConfig
from semantic_rl.losses import semantic
from semantic_rl.models.policy import SemanticPolicy, choose_actions
from semantic_rl.training.batch import Batch
from semantic_rl.training.distributed import Workers
from semantic_rl.training.graphs import Execution
from semantic_rl.training.learner import Learner

NO_KERNEL = ("empty", "detach", "new_empty", "device", "sym_")
PRODUCTS = ("convolution", "convolution_backward", "mm", "addmm", "bmm")


class Traffic(TorchDispatchMode):
    """Adds up the bytes that kernels read and write, by operation, and counts the kernels."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes: Counter[str] = Counter()
        self.kernels = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        read = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        written = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        name = func.overloadpacket.__name__
        if not func.is_view and not name.startswith(NO_KERNEL):
            self.bytes[name] += sum(tensor.numel() * tensor.element_size() for tensor in (*read, *written))
            self.kernels += 1
        return result

    @property
    def fused(self) -> int:
        """Bytes of convolutions and matrix products alone."""
        return sum(self.bytes[name] for name in PRODUCTS)


def count(algorithm: str, size: int, learns: bool) -> tuple[float, Traffic]:
    """Return operations and traffic of a minibatch of learning, or of a policy step, of so many states."""
    semantic.CPU_BLOCK = size  # as a GPU takes the FDR loss
    config = TrainConfig(algorithm=algorithm)  # type: ignore[arg-type]
    with FakeTensorMode():
        policy = SemanticPolicy(num_codes=config.num_codes, keep_activations=True)
        learner = Learner(
            policy, PPOConfig(), SemanticConfig(), "bf16", torch.Generator(), Workers(), execution=Execution.STATIC
        )
        images = torch.zeros(size, 64, 64, 3, dtype=torch.uint8)
        numbers = [torch.zeros(size) for _ in range(4)]
        batch = Batch(images, torch.zeros(size, dtype=torch.int64), *numbers)
        learner.optimizer.advance()
        with FlopCounterMode(display=False) as operations, Traffic() as traffic:
            if learns:
                learner.find_gradient(batch, torch.zeros(()))
                learner.move()
            else:
                with torch.no_grad():
                    choose_actions(learner.network(images).logits, torch.zeros(size, 15))
        return float(operations.get_total_flops()), traffic


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teraflops", type=float, default=989.0)
    parser.add_argument("--terabytes", type=float, default=4.8)
    arguments = parser.parse_args()
    print("| | GFLOP | GB as launched | GB fused | kernels | ms of arithmetic | ms of traffic | ms of traffic, fused |")
    print("|---|---|---|---|---|---|---|---|")
    for algorithm in ("sppo", "ppo"):
        for title, size, learns in (("minibatch of 2048", 2048, True), ("policy step of 32", 32, False)):
            operations, traffic = count(algorithm, size, learns)
            total = sum(traffic.bytes.values())
            print(
                f"| {algorithm.upper()}, {title} | {operations / 1e9:.4g} | {total / 1e9:.4g} "
                f"| {traffic.fused / 1e9:.4g} | {traffic.kernels} | {operations / arguments.teraflops / 1e9:.3g} "
                f"| {total / arguments.terabytes / 1e9:.3g} | {traffic.fused / arguments.terabytes / 1e9:.3g} |"
            )
            if learns:
                top = ", ".join(f"{name} {size / 1e9:.2f}" for name, size in traffic.bytes.most_common(12))
                print(f"  {algorithm}, GB by operation: {top}", file=sys.stderr)


if __name__ == "__main__":
    main()
