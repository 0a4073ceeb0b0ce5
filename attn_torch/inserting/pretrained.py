"""Weights from a file or a `state_dict` into a network, with an account of every name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from attn_core.spec import Block
from attn_core.weights import Weights, WeightsError, check, dialects
from attn_torch.inserting.attached import attached
from attn_torch.layer import Layer

COUNTER = "num_batches_tracked"
_MOST = 8  # names that a message lists


@dataclass
class Loaded:
    """What became of each name: `taken` has the network's by the source's, `new` and `left` had no counterpart.

    `read` has the dialect of each layer of ours that the source names otherwise, by the layer's name.
    """

    taken: dict[str, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{len(self.taken)} arrays taken, {len(self.new)} new, {len(self.left)} left"]
        lines += [f"{name or 'the network'}: read as {dialect}" for name, dialect in self.read.items()]
        lines += [f"new: {_some(self.new)}"] * bool(self.new) + [f"left: {_some(self.left)}"] * bool(self.left)
        return "\n".join(lines)


def load_pretrained(
    network: nn.Module,
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    dialect: str | None = None,
    partial: bool = False,
) -> Loaded:
    """Load weights into a network by their names, those of our layers also from other people's names for them.

    `source` is a file (`attn_core.dialects.read_file` says which) or a `state_dict`. Names that all begin with
    ``module.`` lose that. Where the source has the arrays of one of our layers, at its place or alone, in a dialect,
    these are read as that: of several that fit, with other results, `dialect` must say which.

    Nothing is silent: what was inserted (`insert`) may be new; any other array without a counterpart, on either side,
    is an error, unless ``partial=True``. Print the account that is returned.
    **Raises** `attn_core.WeightsError`, `attn_core.dialects.DialectError`; the network is then as it was.
    """
    state = _stripped(dict(source) if isinstance(source, Mapping) else dialects.read_file(source))
    own = network.state_dict()
    account, given, used = Loaded(), {}, set()
    for key, tensor in own.items():
        if key in state and tuple(state[key].shape) == tuple(tensor.shape):
            given[key], account.taken[key] = state[key], key
            used.add(key)
    for name, layer in _ours(network):
        prefix = f"{name}." if name else ""
        wanted = [key for key in own if key.startswith(prefix) and not key.endswith(COUNTER)]
        if all(key in given for key in wanted):
            continue
        rest = {key: array for key, array in state.items() if key not in used and key.startswith(prefix)}
        found = _read(layer, name, {key.removeprefix(prefix): array for key, array in rest.items()}, dialect)
        if found is not None:
            account.read[name], arrays = found
            given |= {prefix + key: array for key, array in arrays.items()}
            account.taken |= {prefix + key: prefix + "..." for key in arrays}
            used |= rest.keys()
    inserted = tuple(f"{name}.{hook.child}." for name, _, hook in attached(network))
    account.new = [key for key in own if key not in given and not key.endswith(COUNTER)]
    account.left = [key for key in state if key not in used and not key.endswith(COUNTER)]
    missing = [key for key in account.new if not (inserted and key.startswith(inserted))]
    if not given or ((missing or account.left) and not partial):
        raise WeightsError(_refusal(network, given, missing, account.left))
    network.load_state_dict({key: _tensor(array, own[key]) for key, array in given.items()}, strict=False)
    return account


def _ours(network: nn.Module) -> Iterator[tuple[str, Layer]]:
    """Yield the outermost layers of this package in a network, by their names."""
    inside: tuple[str, ...] = ()
    for name, module in network.named_modules():
        if isinstance(module, Layer) and not (inside and name.startswith(inside)):
            inside = (*inside, f"{name}." if name else "")
            yield name, module


def _read(layer: Layer, name: str, state: Mapping[str, Any], dialect: str | None) -> tuple[str, Weights] | None:
    """Return the dialect and the weights of a layer among arrays, or None where no dialect has it."""
    names = [dialect] if dialect else [guess.dialect for guess in dialects.guess(state) if guess.score == 1]
    found: dict[str, Weights] = {}
    for each in names if state else []:
        fields = layer.block.config()
        options = {option: fields[option] for option in dialects.get(each).options if option in fields}
        try:
            block, arrays = dialects.read(each, state, **options)
            if _same(block, layer.block):
                found[each] = check(layer.block, arrays)
        except (WeightsError, ValueError):
            if dialect:
                raise
    first = next(iter(found), None)
    if first is None:
        return None
    others = [each for each in found if any((found[each][key] != found[first][key]).any() for key in found[first])]
    if others:
        rule = f"say dialect={first!r} or {others[0]!r}"
        raise WeightsError(f"The arrays of {name or 'the network'} may be in several dialects: {rule}.")
    return first, found[first]


def _same(a: Block, b: Block) -> bool:
    """Say whether two blocks compute the same: their widths, which fields say in two ways, are those of the arrays."""
    fields = {name for name, value in a.config().items() if value != b.config().get(name)}
    shapes = [{name: array.shape for name, array in block.arrays().items()} for block in (a, b)]
    return type(a) is type(b) and fields <= {"reduction", "hidden"} and shapes[0] == shapes[1]


def _stripped(state: dict[str, Any]) -> dict[str, Any]:
    arrays = {key: array for key, array in state.items() if hasattr(array, "shape")}
    if arrays and all(key.startswith("module.") for key in arrays):
        return {key.removeprefix("module."): array for key, array in arrays.items()}
    return arrays


def _tensor(array: Any, like: Tensor) -> Tensor:
    return (array.detach() if isinstance(array, Tensor) else torch.as_tensor(array)).to(like.dtype)


def _refusal(network: nn.Module, given: Mapping[str, Any], missing: list[str], left: list[str]) -> str:
    title = type(network).__name__
    if not given:
        return f"None of these arrays are {title}'s: it has {_some(missing)}; they are {_some(left)}."
    parts = [f"{title} also has {_some(missing)}"] * bool(missing) + [f"nobody takes {_some(left)}"] * bool(left)
    return f"{len(given)} arrays fit; {'; '.join(parts)}: partial=True takes what fits."


def _some(names: list[str]) -> str:
    more = [f"and {len(names) - _MOST} more"] if len(names) > _MOST else []
    return ", ".join(names[:_MOST] + more) or "none"
