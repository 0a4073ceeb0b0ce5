"""What Keras users choose for kernels and biases: initializers, regularizers and constraints, and types of numbers."""

from __future__ import annotations

from typing import Any

import keras

from attn_core.spec import Block, Part
from attn_core.spec.layers import has, require_effect

KINDS = {"initializer": keras.initializers, "regularizer": keras.regularizers, "constraint": keras.constraints}
CHOICES = {f"{array}_{kind}": KINDS[kind] for array in ("kernel", "bias") for kind in KINDS}


class Choice:
    """An attribute of a layer that says how kernels or biases of its dense layers and convolutions are made.

    They have it when the layer is built: setting it later would change nothing, and is refused.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        return self if layer is None else layer.chosen.get(self.name)

    def __set__(self, layer: Any, value: Any) -> None:
        if layer.built:
            rule = f"its kernels and biases are made when it is built: give {self.name} to {type(layer).__name__}(...)"
            raise AttributeError(f"{layer.name} is built, and {self.name} would be without effect; {rule}.")
        layer.chosen[self.name] = CHOICES[self.name].get(value)


def config(chosen: dict[str, Any]) -> dict[str, Any]:
    """Return what was chosen as Keras writes it into files."""
    return {name: CHOICES[name].serialize(value) for name, value in chosen.items() if value is not None}


def of(part: Part | Block, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return what of it a part can take, as arguments of its layer.

    An initializer draws the same numbers whenever it is called, so each part has one of its own.
    """
    found = {name: value for name, value in chosen.items() if value is not None and has(part, name.partition("_")[0])}
    return {name: value.clone() if hasattr(value, "clone") else value for name, value in found.items()}


def require_effects(block: Block, chosen: dict[str, Any]) -> None:
    """Raise `SpecError` for a choice that no part can take."""
    for name, value in chosen.items():
        if value is not None:
            require_effect(block, name)


def quantised(layer: keras.Layer) -> dict[str, Any]:
    """Return the policies of those layers inside that were quantised, by their path, as Keras writes them."""
    found: dict[str, Any] = {}
    for name in layer.block.parts() if hasattr(layer, "block") else ():
        part = getattr(layer, name)
        if isinstance(part.dtype_policy, keras.dtype_policies.QuantizedDTypePolicy):
            found[name] = keras.dtype_policies.serialize(part.dtype_policy)
        found |= {f"{name}.{path}": policy for path, policy in quantised(part).items()}
    return found


def inside(policies: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the policies inside of a part."""
    return {path.removeprefix(f"{name}."): policy for path, policy in policies.items() if path.startswith(f"{name}.")}
