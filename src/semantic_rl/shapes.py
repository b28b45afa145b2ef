"""Compares the shapes of tensors that a function is given with those that it expects, axis by axis.

A shape is a Python value, so this asks no device for anything and may run while a CUDA graph is recorded.
"""

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from torch import Tensor


def check_shapes(function: str, *, least: int = 1, **tensors: "tuple[Tensor, str]") -> None:
    """Raise ValueError unless each tensor has the axes that stand beside it, as in `features=(features, "B D")`.

    An axis is a name, which has one size in all tensors, or the size itself. The batch `B` has at least `least` rows.
    """
    sizes: dict[str, int] = {}
    for tensor, axes in tensors.values():
        names = axes.split()
        if len(names) != tensor.ndim:
            _refuse(function, tensors)
        for name, size in zip(names, tensor.shape, strict=True):
            if sizes.setdefault(name, int(name) if name.isdigit() else size) != size:
                _refuse(function, tensors)
    if sizes.get("B", least) < least:
        _refuse(function, tensors, f" and B of at least {least}")


def _refuse(function: str, tensors: "dict[str, tuple[Tensor, str]]", more: str = "") -> NoReturn:
    found = ", ".join(f"{name} {list(tensor.shape)}" for name, (tensor, _) in tensors.items())
    expected = ", ".join(f"{name} [{axes.replace(' ', ', ')}]" for name, (_, axes) in tensors.items())
    raise ValueError(f"{function}: got {found}; expected {expected}{more}.")


def check_types(function: str, floating: "dict[str, Tensor]", integers: "dict[str, Tensor] | None" = None) -> None:
    """Raise ValueError unless tensors hold floating-point numbers of one type, and whole ones of 64 bits."""
    types = {str(tensor.dtype) for tensor in floating.values()}
    if len(types) > 1 or not all(tensor.is_floating_point() for tensor in floating.values()):
        found = ", ".join(f"{name} {tensor.dtype}" for name, tensor in floating.items())
        raise ValueError(f"{function}: got {found}; expected floating-point numbers of one type.")
    for name, tensor in (integers or {}).items():
        if str(tensor.dtype) != "torch.int64":
            raise ValueError(f"{function}: {name} is {tensor.dtype}, expected torch.int64.")
