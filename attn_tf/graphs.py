"""Graphs of `tf.compat.v1`: a program calls layers to build one, and later runs in a session what it asks for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np


def in_graph(x: Any) -> bool:
    """Say whether a call on x belongs to such a graph, also inside of a `tf.cond` or `tf.function` there."""
    if "tensorflow" not in sys.modules:  # whoever has made a graph has imported it
        return False
    import tensorflow as tf

    if not tf.is_tensor(x) and not isinstance(x, np.ndarray):
        return False
    with tf.init_scope():  # leaves every function for what is around them all
        around = not tf.executing_eagerly()
    return around or _is_wrapped(tf.compat.v1.get_default_graph())


def _is_wrapped(graph: Any) -> bool:
    """Say whether `tf.compat.v1.wrap_function` builds this graph: code of TensorFlow 1 inside of eager code."""
    while graph.building_function:
        if graph.name.startswith("wrapped_function"):  # nothing else tells
            return True
        graph = graph.outer_graph
    return False


@contextmanager
def collected(layer: keras.Layer) -> Iterator[None]:
    """Put what a call assigns into the collection UPDATE_OPS, which programs of TensorFlow 1 run beside each step.

    Keras does not: running averages and the states of random numbers would never move.

    **Raises** `ValueError` for a layer of another graph, or of none: a session knows the variables of its own graph.
    """
    graph = _built_now()
    if graph is None:
        yield
        return
    if any(getattr(variable.value, "graph", None) is not graph for variable in layer.variables):
        raise ValueError(
            f"{layer.name} has its variables outside of this graph: make a layer in each graph, "
            f"with name={layer.name!r}, under which savers find the same weights."
        )
    before = len(graph.get_operations())
    yield
    _collect(graph, graph.get_operations()[before:])


def in_session(layer: keras.Layer) -> bool:
    """Say whether a layer's variables are in such a graph, so that their values are in a session alone."""
    return any(getattr(variable.value, "graph", None) is not None for variable in layer.variables)


def _built_now() -> Any:
    """Return the graph that is built at the moment, or None in eager code and in functions."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    if tf.executing_eagerly() or tf.inside_function():
        return None
    return tf.compat.v1.get_default_graph()


def _collect(graph: Any, operations: list[Any]) -> None:
    import tensorflow as tf

    v1 = tf.compat.v1
    starts = {variable.initializer for variable in graph.get_collection(v1.GraphKeys.GLOBAL_VARIABLES)}
    updates = graph.get_collection_ref(v1.GraphKeys.UPDATE_OPS)
    known = starts.union(updates)  # a layer inside has collected its own
    updates += [each for each in operations if each.type.startswith("Assign") and each not in known]
