"""Checks the shapes of a function's tensor arguments, axis by axis.

A shape is a Python value, so this does not synchronise with a device and may run while a CUDA graph is captured.
"""

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from torch import Tensor


def check_shapes(function: str, *, least: int = 1, **tensors: "tuple[Tensor, str]") -> None:
    """Raise ValueError unless each tensor has the axes given with it, as in `features=(features, "B D")`.

    An axis is a size, or a name that must have the same size in all tensors. The batch axis `B` is at least `least`.
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
    """Raise ValueError unless `floating` are floating-point tensors of one type, and `integers` are int64."""
    types = {str(tensor.dtype) for tensor in floating.values()}
    if len(types) > 1 or not all(tensor.is_floating_point() for tensor in floating.values()):
        found = ", ".join(f"{name} {tensor.dtype}" for name, tensor in floating.items())
        raise ValueError(f"{function}: got {found}; expected floating-point numbers of one type.")
    for name, tensor in (integers or {}).items():
        if str(tensor.dtype) != "torch.int64":
            raise ValueError(f"{function}: {name} is {tensor.dtype}, expected torch.int64.")
