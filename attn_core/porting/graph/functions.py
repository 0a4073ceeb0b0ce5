"""Functions, put in place of what calls them: TensorFlow 2 saves its networks so, and TensorFlow 1.15 conditions.

`If` becomes the switches and merges that TensorFlow 1 has always had.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tensorboard.compat.proto import node_def_pb2

from attn_core.weights.files.tf1.errors import CheckpointError

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_CONDITIONS = ("If", "StatelessIf")
_MOST_NODES = 1 << 18  # a hostile file may call functions that call functions, twice each
_DEEPEST = 64
_BOOL = 10  # DataType
# The names of outputs, of operations that have several; any other that can be run here has one, perhaps a list.
_NORM = ("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3")
_LOSS = ("loss", "backprop")
_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), _NORM),
    **dict.fromkeys(("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits"), _LOSS),
    **dict.fromkeys(("Switch", "RefSwitch"), ("output_false", "output_true")),
    **dict.fromkeys(("Merge", "RefMerge"), ("output", "value_index")),
    **dict.fromkeys(("TopK", "TopKV2"), ("values", "indices")),
    "ListDiff": ("out", "idx"),
    "MaxPoolWithArgmax": ("output", "argmax"),
    "Unique": ("y", "idx"),
}

Definition = Any  # a message NodeDef or FunctionDef


def inlined(nodes: list[Definition], library: Iterable[Definition], path: str) -> list[Definition]:
    """Return nodes with all calls of the library's functions replaced. **Raises** `CheckpointError`."""
    functions = {function.signature.name: function for function in library}
    if not any(_is_call(node, functions) for node in nodes):
        return nodes
    found: list[Definition] = []
    for node in nodes:
        for each in _expanded(node, functions, path, 0):
            found.append(each)
            if len(found) > _MOST_NODES:
                raise CheckpointError(f"{path} calls functions that become more than {_MOST_NODES} operations.")
    return _own_names(found)


def _own_names(nodes: list[Definition]) -> list[Definition]:
    """Let variables of one name be told apart by their nodes: TensorFlow 2 loads each by itself."""
    handles = [node for node in nodes if node.op == "VarHandleOp"]
    names = Counter(node.attr["shared_name"].s for node in handles)
    for node in handles:
        if names[node.attr["shared_name"].s] > 1:
            node.attr["shared_name"].s = b""
    return nodes


def _is_call(node: Definition, functions: Mapping[str, Definition]) -> bool:
    return node.op in (*_CALLS, *_CONDITIONS) or node.op in functions


def _expanded(node: Definition, functions: Mapping[str, Definition], path: str, depth: int) -> Iterator[Definition]:
    """Yield what a node becomes: itself, or what the function does that it calls."""
    if not _is_call(node, functions):
        yield node
        return
    if depth > _DEEPEST:
        raise CheckpointError(f"{path}: the functions that {node.name!r} calls call each other without end.")
    made = _condition(node, functions, path) if node.op in _CONDITIONS else _call(node, functions, path)
    for each in made:
        yield from _expanded(each, functions, path, depth + 1)


def _function(node: Definition, attribute: str, functions: Mapping[str, Definition], path: str) -> Definition:
    name = node.attr[attribute].func.name if attribute else node.op
    if name not in functions:
        raise CheckpointError(f"{path} is damaged: {node.name!r} calls {name!r}, which is not in it.")
    return functions[name]


def _data(node: Definition) -> list[str]:
    return [text for text in node.input if not text.startswith("^")]


# ---- calls -----------------------------------------------------------------------------------------------------------


def _call(node: Definition, functions: Mapping[str, Definition], path: str) -> Iterator[Definition]:
    function = _function(node, "f" if node.op in _CALLS else "", functions, path)
    results = yield from _body(node, function, node.name, _data(node), functions, path)
    yield _made(node.name, "IdentityN", results, T=_types(node, function))


def _body(
    node: Definition,
    function: Definition,
    scope: str,
    inputs: list[str],
    functions: Mapping[str, Definition],
    path: str,
) -> Any:
    """Yield the nodes of a function in a scope; return what its results are called there."""
    arguments = [str(argument.name) for argument in function.signature.input_arg]
    if len(arguments) != len(inputs):
        raise CheckpointError(f"{path} is damaged: {node.name!r} gives {len(inputs)} of {len(arguments)} arguments.")
    given: dict[str, str] = dict(zip(arguments, inputs, strict=True))
    outputs = {each.name: _output_names(each, functions) for each in function.node_def}

    def renamed(text: str) -> str:
        name, _, output = text.removeprefix("^").partition(":")
        control = "^" if text.startswith("^") else ""
        if name in given:
            text = given[name]
            return f"^{text.partition(':')[0]}" if control else text
        if name not in outputs:
            raise CheckpointError(f"{path} is damaged: {name!r} of a function that {node.name!r} calls is not in it.")
        kind, _, number = output.partition(":")
        place = outputs[name].index(kind) if kind in outputs[name] else 0
        place += int(number) if number.isdigit() else 0
        return f"{control}{scope}/{name}" + (f":{place}" if place and not control else "")

    for each in function.node_def:
        copy = node_def_pb2.NodeDef()
        copy.CopyFrom(each)
        copy.name = f"{scope}/{each.name}"
        del copy.input[:]
        copy.input.extend(map(renamed, each.input))
        for value in copy.attr.values():
            if value.placeholder and value.placeholder in node.attr:
                value.CopyFrom(node.attr[value.placeholder])
        yield copy
    missing = [each.name for each in function.signature.output_arg if each.name not in function.ret]
    if missing:
        raise CheckpointError(f"{path} is damaged: the function that {node.name!r} calls gives no {missing[0]!r}.")
    return [renamed(function.ret[each.name]) for each in function.signature.output_arg]


def _output_names(node: Definition, functions: Mapping[str, Definition]) -> tuple[str, ...]:
    if node.op in functions:
        return tuple(each.name for each in functions[node.op].signature.output_arg)
    return _OUTPUTS.get(node.op, ())


def _types(node: Definition, function: Definition) -> list[int]:
    """Return the types of a function's results; some are told where it is called."""
    results = function.signature.output_arg
    return [each.type or (node.attr[each.type_attr].type if each.type_attr in node.attr else 0) for each in results]


# ---- conditions ------------------------------------------------------------------------------------------------------


def _condition(node: Definition, functions: Mapping[str, Definition], path: str) -> Iterator[Definition]:
    """Yield a switch before each branch, both branches, and a merge for each result."""
    inputs = _data(node)
    if not inputs:
        raise CheckpointError(f"{path} is damaged: the condition {node.name!r} reads nothing.")
    truth, *data = inputs
    yield _made(f"{node.name}/Switch", "Switch", [truth, truth], T=_BOOL)
    for k, each in enumerate(data):
        kind = node.attr["Tin"].list.type[k] if k < len(node.attr["Tin"].list.type) else 0
        yield _made(f"{node.name}/Switch_{k + 1}", "Switch", [each, truth], T=kind)
    results = []
    for place, branch in enumerate(("else_branch", "then_branch")):
        function = _function(node, branch, functions, path)
        scope, pivot = f"{node.name}/{branch}", f"{node.name}/{branch}/pivot"
        yield _made(pivot, "Identity", [f"{node.name}/Switch:{place}"], T=_BOOL)
        switched = [f"{node.name}/Switch_{k + 1}:{place}" for k in range(len(data))]
        body = _body(node, function, scope, switched, functions, path)
        results.append((yield from _controlled(body, pivot)))
    both = list(zip(*results, strict=False))
    merges = [f"{node.name}/Merge_{k}" for k in range(len(both))]
    types = _types(node, function)
    for name, pair, kind in zip(merges, both, types, strict=True):
        yield _made(name, "Merge", list(pair), T=kind, N=2)
    yield _made(node.name, "IdentityN", merges, T=types)


def _controlled(body: Any, pivot: str) -> Any:
    """Yield nodes that run only if their branch is taken, also those that read nothing of it; return the results."""
    while True:
        try:
            node = next(body)
        except StopIteration as end:
            return end.value
        if not _data(node):
            node.input.append(f"^{pivot}")
        yield node


def _made(name: str, op: str, inputs: list[str], **attributes: int | list[int]) -> Definition:
    made = node_def_pb2.NodeDef(name=name, op=op, input=inputs)
    for key, value in attributes.items():
        if isinstance(value, list):
            made.attr[key].list.type.extend(value)
        elif key == "N":
            made.attr[key].i = value
        else:
            made.attr[key].type = value
    return made
