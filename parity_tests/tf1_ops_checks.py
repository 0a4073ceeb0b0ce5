"""What TensorFlow itself computes, one operation at a time, in a graph as TensorFlow 1 has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.meta_graph import strip_graph_default_valued_attrs
from tf1_op_cases import Case

v1 = tf.compat.v1


class Recorded(NamedTuple):
    """A graph with one operation `op`, the same without what TensorFlow takes for granted, and what comes out."""

    graph: bytes
    bare: bytes
    outputs: list[np.ndarray]


def record(case: Case) -> Recorded:
    with tf.Graph().as_default() as graph:
        fed = {key: [_placeholder(name, array) for name, array in each] for key, each in case.named().items()}
        arguments = {key: each if isinstance(case.inputs[key], list) else each[0] for key, each in fed.items()}
        getattr(tf.raw_ops, case.op)(**arguments, **case.attributes, name="op")
        arrays = {name: array for each in case.named().values() for name, array in each}
        return _recorded(graph, "op", arrays)


def _placeholder(name: str, array: np.ndarray) -> Any:
    return v1.placeholder(array.dtype, array.shape, name=name)


def _recorded(graph: Any, name: str, arrays: Mapping[str, np.ndarray]) -> Recorded:
    with v1.Session(graph=graph) as session:
        feeds = {f"{key}:0": array for key, array in arrays.items()}
        try:
            outputs = session.run(_meant(graph.get_operation_by_name(name)), feeds)
        except tf.errors.OpError as error:
            raise RuntimeError(error.message) from None  # TensorFlow's own does not cross processes
    meta = v1.MetaGraphDef(graph_def=graph.as_graph_def())
    strip_graph_default_valued_attrs(meta)
    return Recorded(graph.as_graph_def().SerializeToString(), meta.graph_def.SerializeToString(), outputs)


def _meant(operation: Any) -> list[Any]:
    """Return an operation's outputs without what it keeps for its gradient, which each kernel does in its own way."""
    arguments = [each.name for each in operation.op_def.output_arg]
    if len(arguments) != len(operation.outputs):  # a list of outputs is one argument
        return list(operation.outputs)
    named = zip(arguments, operation.outputs, strict=True)
    return [output for argument, output in named if not argument.startswith("reserve_space")]


def references(taken: bool) -> Recorded:
    """Pass a variable of TensorFlow 1 by reference through a condition."""
    with tf.Graph().as_default() as graph:
        variable = v1.Variable([1.0, 2.0], use_resource=False, name="variable")
        reference = tf.raw_ops.RefIdentity(input=variable._ref())
        branches = tf.raw_ops.RefSwitch(data=reference, pred=v1.placeholder(tf.bool, [], name="taken"))
        merged = tf.raw_ops.RefMerge(inputs=[branches.output_false, branches.output_true])
        tf.raw_ops.AddN(inputs=[merged.output, merged.output], name="op")
        with v1.Session() as session:
            session.run(variable.initializer)
            outputs = session.run(list(graph.get_operation_by_name("op").outputs), {"taken:0": taken})
    definition = graph.as_graph_def().SerializeToString()
    return Recorded(definition, definition, outputs)


def resources() -> Recorded:
    """Read a variable as Keras and later versions of TensorFlow 1 do."""
    with tf.Graph().as_default() as graph:
        variable = v1.Variable([1.0, 2.0], use_resource=True, name="variable")
        tf.raw_ops.Neg(x=tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=tf.float32), name="op")
        with v1.Session() as session:
            session.run(variable.initializer)
            outputs = session.run(list(graph.get_operation_by_name("op").outputs))
    definition = graph.as_graph_def().SerializeToString()
    return Recorded(definition, definition, outputs)


def conditions(taken: Mapping[str, np.ndarray]) -> Recorded:
    """Nest conditions whose branches are partly constants, which only a control edge ties to their branch."""
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            _conditions()
            return _recorded(graph, "op", {"x": np.arange(6.0).reshape(2, 3), "training": np.array(False), **taken})
    finally:
        v1.enable_control_flow_v2()


def _conditions() -> None:
    x = v1.placeholder(tf.float64, [2, 3], name="x")
    outer, inner, training = (v1.placeholder(tf.bool, [], name=name) for name in ("outer", "inner", "training"))
    nested = v1.cond(outer, lambda: v1.cond(inner, lambda: _constant(3), lambda: _constant(5)) * x, lambda: x - 1)
    dropped = v1.cond(training, lambda: tf.nn.dropout(nested, 0.5), lambda: nested)
    tf.raw_ops.AddN(inputs=[dropped, v1.cond(outer, lambda: _constant(7), lambda: _constant(9)) * x], name="op")


def _constant(value: float) -> Any:
    return tf.constant(value, tf.float64)
