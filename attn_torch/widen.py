"""Running a float32 network in float64 without a second copy of its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only


class Widened(TorchFunctionMode):
    """While it is active, each operation gets float64 in place of float32, made for this operation alone."""

    def __init__(self) -> None:
        super().__init__()
        self._narrow: dict[int, Tensor] = {}  # what the operation under way got wider, by the wide one's address

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation."""
        self._narrow = {}
        wide, named = tree_map_only(Tensor, self._wide, (tuple(args), dict(kwargs or {})))
        return func(*wide, **named)

    def _wide(self, tensor: Tensor) -> Tensor:
        if tensor.dtype != torch.float32:
            return tensor
        wide = tensor.double()
        self._narrow[wide.data_ptr()] = tensor
        return wide

    def keep(self, tensor: Tensor) -> Callable[[], Tensor] | None:
        """Return what makes a tensor again that the operation under way got wider; None for any other."""
        narrow = self._narrow.get(tensor.data_ptr())
        if narrow is None:
            return None
        shape, stride = tensor.shape, tensor.stride()  # which may be those of a view
        return lambda: narrow.double().as_strided(shape, stride)
