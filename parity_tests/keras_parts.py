"""Which parts of a Keras layer a call runs, told in the process of a backend."""

from __future__ import annotations

from cases import Case
from keras_checks import given, native

import attn_tf
from attn_tf.foreign import paths


def called(case: Case) -> tuple[set[str], set[str]]:
    """Return the paths of all parts, and of those whose `call` ran in a call of the whole."""
    layer = attn_tf.bind(case.block, data_format="channels_last")
    found, seen = {path: part for path, part in _parts(layer).items() if path}, set()
    for path, part in found.items():
        vars(part)["call"] = _noting(part.call, path, seen)
    image, *more = given(case)
    layer(native(image), *more)
    return set(found), seen


def _parts(layer: attn_tf.Layer) -> dict[str, object]:
    names = paths(layer)
    return {names[id(part)]: part for part in layer._flatten_layers() if id(part) in names}


def _noting(own, path: str, seen: set[str]):
    def call(*args, **kwargs):
        seen.add(path)
        return own(*args, **kwargs)

    return call
