"""The arrays of a model, by the names under which its graph reads them."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from attn_core.porting.keras.configuration import Model
from attn_core.weights.files.hdf5 import ORDER, has_layer_names
from attn_core.weights.files.tf1.errors import CheckpointError


class Arrays(Mapping[str, NDArray[Any]]):
    """A model's arrays, with what `Checkpoint` offers of variables."""

    def __init__(self, path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.path, self.arrays = path, arrays

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.arrays))

    def __len__(self) -> int:
        return len(self.arrays)

    __eq__ = object.__eq__  # Mapping's would compare every array of both
    __hash__ = object.__hash__

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        return tuple(self.arrays[name].shape)

    def __repr__(self) -> str:
        return f"<Keras model {str(self.path)!r}: {len(self)} arrays>"


def has_names(path: Path) -> bool:
    """Whether a file states its layers' names; a `.keras` file of older versions of Keras 3 numbers them instead."""
    if not zipfile.is_zipfile(path):
        return True
    with zipfile.ZipFile(path) as archive:
        return has_layer_names(path, io.BytesIO(archive.read("model.weights.h5")))


def own_names(model: Model) -> dict[str, str]:
    """Return what each layer is called in a file that states names."""
    return {layer.name: layer.name for layer in model.layers}


def numbered_names(model: Model) -> dict[str, str]:
    """Return what each layer is called in a file without names: its class in small letters, numbered from the second.

    Operations, which Keras 3 writes among the layers, have no arrays and are not counted.
    """
    counts: Counter[str] = Counter()
    found = {}
    for layer in model.layers:
        if layer.module.startswith("keras.src.ops"):
            found[layer.name] = layer.name
            continue
        kind = _snake(layer.kind)
        found[layer.name] = f"{kind}_{counts[kind]}" if counts[kind] else kind
        counts[kind] += 1
    return found


def _snake(kind: str) -> str:
    """Return a class's name as Keras writes it in files: `batch_normalization`, `conv2d`, `p_re_lu`."""
    apart = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub("([a-z])([A-Z])", r"\1_\2", apart).lower()


def of_layer(path: Path, arrays: Mapping[str, Any], layer: Sequence[str], roles: Sequence[str]) -> list[str]:
    """Return the names of a layer's arrays in the order of their roles. **Raises** `CheckpointError`.

    `layer` is its name after those of the models around it, of which files state some or all, or one more. Keras 2
    names each array; Keras 3 numbers them, and reading the file gives them names by their shapes, which may be those of
    other roles: then their order tells.
    """
    own = _own(path, arrays, layer)
    if all(role in own for role in roles):
        return [own[role] for role in roles]
    if len(own) == len(roles):
        return [own[leaf] for leaf in sorted(own, key=_place)]
    held = ", ".join(sorted(own)) or "none"
    name = "/".join(layer)
    raise CheckpointError(f"{path}: the layer {name!r} needs the arrays {', '.join(roles)}; the file holds {held}.")


def _own(path: Path, arrays: Mapping[str, Any], layer: Sequence[str]) -> dict[str, str]:
    """Return the arrays of a layer by what they are called in it."""
    owners: dict[str, dict[str, str]] = {}
    for name in arrays:
        owner, leaf = _apart(name)
        if _shared(owner, layer):
            owners.setdefault(owner, {})[leaf] = name
    most = max((_shared(owner, layer) for owner in owners), default=0)
    best = [owner for owner in owners if _shared(owner, layer) == most]
    if len(best) > 1:
        raise CheckpointError(
            f"{path}: the arrays of the layer {'/'.join(layer)!r} may be those of {' or '.join(best)}: give layers and "
            "the models around them names of their own."
        )
    return owners[best[0]] if best else {}


def _apart(name: str) -> tuple[str, str]:
    """Return the layer of an array, and what it is called in it: `kernel`, or `vars/0`."""
    owner, _, leaf = name.rpartition("/")
    around, _, last = owner.rpartition("/")
    return (around, f"{last}/{leaf}") if last == "vars" else (owner, leaf)


def _shared(owner: str, layer: Sequence[str]) -> int:
    """Return how many names at the end two paths have in common; a layer's own may hold slashes."""
    count, whole = 0, ""
    for name in reversed(layer):
        whole = f"{name}/{whole}" if whole else name
        if owner != whole and not owner.endswith(f"/{whole}"):
            break
        count += 1
    return count


def _place(leaf: str) -> tuple[int, str]:
    number = leaf.rpartition("/")[2]
    if number.isdigit():
        return int(number), leaf
    return (ORDER.index(leaf) if leaf in ORDER else len(ORDER)), leaf
