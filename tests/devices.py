"""The devices that tests of static work run on: the CPU always, a GPU where there is one."""

import pytest
import torch

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=needs_cuda)]

# Convolutions in float32 round as those of a CPU, with which they are compared.
torch.backends.cudnn.allow_tf32 = False
