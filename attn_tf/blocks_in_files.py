"""Blocks without a Keras class, as Keras writes them into files: the name of their class, and their fields.

A file gives names and numbers only. A class is one of this collection, or one that the reader registered with Keras.
"""

from __future__ import annotations

from typing import Any

import keras

from attn_core.models.registry import KNOWN
from attn_core.models.stage import Stage
from attn_core.spec import Block

OWN: dict[str, type[Block]] = {**KNOWN, "Stage": Stage}
PLAIN = (bool, int, float, str, type(None))


def written(block: Block) -> dict[str, Any]:
    """Return what stands for a block. **Raises** `NotImplementedError` for a field that a file cannot hold."""
    name = type(block).__name__ if _is_known(type(block)) else keras.saving.get_registered_name(type(block))
    return {"block": name, "fields": {field: _written(value, block) for field, value in block.config().items()}}


def read(found: dict[str, Any]) -> Block:
    """Return the block. **Raises** `ValueError` for a class that is not known here."""
    name = found["block"]
    kind = OWN.get(name) or keras.saving.get_registered_object(name)
    if not isinstance(kind, type) or not issubclass(kind, Block):
        way = "register its class by keras.saving.register_keras_serializable, or give it to the loader"
        raise ValueError(f"There is no block {name!r} here: {way}, custom_objects={{{name!r}: ...}}.")
    return kind(**{field: _read(value) for field, value in found["fields"].items()})


def _is_known(kind: type[Block]) -> bool:
    return OWN.get(kind.__name__) is kind


def _written(value: Any, block: Block) -> Any:
    if isinstance(value, Block):
        return written(value)
    if isinstance(value, (tuple, list)):
        return {"tuple": [_written(each, block) for each in value]}
    if isinstance(value, PLAIN):
        return value
    rule = "a field holds numbers, texts, tuples of them, blocks or None"
    raise NotImplementedError(f"{block!r} cannot be saved whole, its weights can: {rule}, not {value!r}.")


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return read(value) if "block" in value else tuple(_read(each) for each in value["tuple"])
