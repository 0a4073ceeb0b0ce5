"""Which parts of a Keras layer a call runs, told in the process of a backend."""

from __future__ import annotations

from collections import Counter

from cases import Case

import attn_tf
from attn_tf.foreign import paths


def called(case: Case) -> tuple[set[str], set[str]]:
    """Return the paths of all parts, and of those whose `call` ran in a call of the whole."""
    layer, calls = attn_tf.bind(case.block, data_format="channels_last"), Counter[str]()
    parts = watched(layer, calls)
    layer(*case.channels_last)
    return parts, set(calls)


def watched(layer: attn_tf.Layer, calls: Counter[str]) -> set[str]:
    """Count the calls of all parts of a layer from now on; return their paths."""
    names = paths(layer)
    parts = {names[id(part)]: part for part in layer._flatten_layers(include_self=False) if id(part) in names}
    for path, part in parts.items():
        vars(part)["call"] = _noting(part.call, path, calls)
    return set(parts)


def _noting(own, path: str, calls: Counter[str]):
    def call(*args, **kwargs):
        calls[path] += 1
        return own(*args, **kwargs)

    return call
