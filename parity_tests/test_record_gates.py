"""`record_gates`: the gates of all layers of a network in one pass, in every runtime."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any

import numpy as np
import pytest
from blocks import EXAMPLES
from runtimes import in_keras, need

import attn_core as core
from attn_core.interpreters.one_pass import has_gates, one_pass
from attn_core.spec.parts import Dense

NETWORK = core.SEResNet(3, (1, 1), bottleneck=False, width=4, attention="CBAM(reduction=2, kernel=3)")
HALVES = ["channel", "spatial"]
NAMES = [f"stage{i}.block1.attention.{half}" for i in (1, 2) for half in HALVES]
WITH_GATES = [name for name, case in EXAMPLES.items() if has_gates(case.block)]


@dataclass(frozen=True, repr=False)
class Apart(core.Block):
    """A user's block that states its gate apart from its output, and hands on that of a part."""

    def parts(self):
        return {"dense": Dense(4, 4), "inner": core.SqueezeExcitation(4, 2)}

    def gates(self, f, p, x):
        return {"mine": f.sigmoid(p.dense(f.global_mean(x))), **p.inner.gates(x)}

    def forward(self, f, p, x):
        return f.scale(p.inner(x), f.sigmoid(p.dense(f.global_mean(x))))


def merged(recorded: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return all gates of one layer and its parts by their names, each of one call."""
    assert all(len(calls) == 1 for calls in recorded.values())
    return {name: gate for calls in recorded.values() for name, gate in calls[0].items()}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(numbers(one[name]), numbers(other[name])) for name in one)


def numbers(array: Any) -> np.ndarray:
    return np.asarray(array.detach() if hasattr(array, "detach") else array)


# ---- one pass, without a framework -----------------------------------------------------------------------------------


class Counting:
    """Primitives and parts that count their calls."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str):
        def run(*given: Any, **named: Any):
            self.calls[name] += 1
            return np.ones(3) + len(self.calls)

        return run


def test_what_output_and_gates_both_need_is_computed_once():
    both, alone = Counting(), Counting()
    block = core.GlobalContext(4, 2, fusion="both")
    found = one_pass(block, both, both, np.ones(3))
    block.forward(alone, alone, np.ones(3))
    assert both.calls == alone.calls
    assert set(found.own) == set(found.gates) == {"context", "channel"}


def test_equal_numbers_in_two_arrays_are_two_steps():
    @dataclass(frozen=True)
    class Twice(core.Block):
        def gates(self, f, p, x):
            return {}

        def forward(self, f, p, x):
            return [f.relu(x), f.relu(x.copy()), f.relu(x), f.max_pool(x, (2, 2)), f.max_pool(x, (2, 3))]

    counting = Counting()
    one_pass(Twice(), counting, counting, np.ones(3))
    assert counting.calls == {"relu": 2, "max_pool": 2}


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def torch():
    need("torch")
    import torch

    torch.manual_seed(0)
    return torch


def torch_layer(torch, block: core.Block = NETWORK):
    import attn_torch

    return attn_torch.bind(block, core.initialise(block, 1)), torch.randn(2, 3, 24, 20)


@pytest.mark.parametrize("name", WITH_GATES)
def test_torch_every_block(torch, name: str):
    import attn_torch

    case = EXAMPLES[name]
    layer = attn_torch.bind(case.block, case.weights).eval()
    inputs = [torch.tensor(array, dtype=torch.float32) for array in case.given]
    with torch.no_grad(), attn_torch.record_gates(layer) as gates:
        output = layer(*inputs)
    with torch.no_grad():
        assert torch.equal(output, layer(*inputs))
        assert same(merged(gates), layer.gates(*inputs))
        assert same(merged(gates), layer.block.gates(attn_torch.layer.ops, layer, *inputs))


@pytest.mark.parametrize("train", [False, True])
def test_torch_network(torch, train: bool):
    """Outputs, gradients, statistics and calls of parts are those of a plain pass."""
    import copy

    import attn_torch

    network, x = torch_layer(torch)
    plain = copy.deepcopy(network).train(train)
    network.train(train)
    calls, given = Counter(), {}
    for name, module in network.named_modules():
        module.register_forward_hook(
            lambda m, inputs, output, name=name: calls.update([name]) or given.update({name: inputs})
        )
    with attn_torch.record_gates(network) as gates:
        output = network(x)
    assert list(gates) == NAMES
    assert all(torch.equal(output, each) for each in [plain(x)])
    assert set(calls.values()) == {1, 2}, "the perceptron of a channel half is called twice, all others once"
    assert {name.rpartition(".")[2] for name, count in calls.items() if count == 2} == {"reduce", "expand"}
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), plain.state_dict().values(), strict=True)
    )
    for name in NAMES:
        layer = plain.get_submodule(name)
        assert same(gates[name][0], layer.eval().gates(*given[name])) or train
    half = gates["stage1.block1.attention.channel"][0]["channel"]
    (gradient,) = torch.autograd.grad(output.sum(), half)
    assert gradient.abs().max() > 0, "a gate is part of the graph"
    with torch.no_grad(), attn_torch.record_gates(network) as gates:
        network(x)
    assert not gates["stage1.block1.attention.channel"][0]["channel"].requires_grad


def test_torch_takes_no_operation_twice(torch):
    from torch.utils._python_dispatch import TorchDispatchMode

    import attn_torch

    class Count(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.calls: Counter[str] = Counter()

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.calls[str(func)] += 1
            return func(*args, **(kwargs or {}))

    network, x = torch_layer(torch)
    with Count() as plain:
        network(x)
    with attn_torch.record_gates(network), Count() as recorded:
        network(x)
    assert recorded.calls == plain.calls


def test_torch_networks_of_users(torch):
    """Layers of ours among theirs, one of them called twice, one in a place where nobody calls it."""
    import attn_torch

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = torch.nn.ModuleList([torch.nn.Conv2d(3, 4, 3), attn_torch.SqueezeExcitation(4, 2)])
            self.apart, self.idle = attn_torch.bind(Apart()), attn_torch.CBAM(4, 2)

        def forward(self, x):
            x = self.features[0](x)
            return self.apart(self.features[1](self.features[1](x)))

    network, x = Net(), torch.randn(2, 3, 6, 5)
    with attn_torch.record_gates(network) as gates:
        network(x)
        network(x)
    assert {name: len(calls) for name, calls in gates.items()} == {"features.1": 4, "apart": 2, "apart.inner": 2}
    assert [set(gates[name][0]) for name in ("apart", "apart.inner")] == [{"mine"}, {"channel"}]
    first, second, *_ = gates["features.1"]
    assert not torch.equal(first["channel"], second["channel"])
    (root,) = [attn_torch.SqueezeExcitation(4, 2)]
    with attn_torch.record_gates(root) as gates:
        root(torch.randn(1, 4, 3, 3))
    assert set(gates) == {""}


def test_torch_contexts_end_as_they_began(torch):
    """Also one inside another, not in the order of a stack, and after an error."""
    import attn_torch

    network, x = torch_layer(torch)
    before = [dict(vars(module)) for module in network.modules()]
    with attn_torch.record_gates(network) as outer:
        with attn_torch.record_gates(network.stage1) as inner:
            network(x)
        network(x)
    assert {len(calls) for calls in outer.values()} == {2}
    assert list(inner) == ["block1.attention.channel", "block1.attention.spatial"]
    assert inner["block1.attention.channel"][0]["channel"] is outer[NAMES[0]][0]["channel"]
    import torch._dynamo

    one, other = attn_torch.record_gates(network), attn_torch.record_gates(network)
    one.__enter__(), other.__enter__()
    one.__exit__(None, None, None), other.__exit__(None, None, None)
    torch.compile(lambda x: x, backend="eager", fullgraph=True)(x)  # and what is compiled is run as that again
    assert torch._dynamo.eval_frame._stance.stance == "default"
    with pytest.raises(RuntimeError), attn_torch.record_gates(network):
        network(x[:, :2])
    assert [dict(vars(module)) for module in network.modules()] == before


def test_torch_notes_its_own_thread(torch):
    import attn_torch

    network, x = torch_layer(torch)
    with attn_torch.record_gates(network) as gates:
        other = Thread(target=network, args=(x,))
        other.start()
        other.join()
        assert gates == {}
        network(x)
    assert {len(calls) for calls in gates.values()} == {1}


def test_torch_compiled(torch):
    import attn_torch

    network, x = torch_layer(torch, core.CBAM(3, 1, 3))
    compiled = torch.compile(network, backend="eager")
    compiled(x)
    with attn_torch.record_gates(compiled) as gates:
        compiled(x)
    assert list(gates) == ["_orig_mod.channel", "_orig_mod.spatial"]

    def function(x):
        with attn_torch.record_gates(network) as gates:
            network(x)
        return gates["channel"][0]["channel"]

    with pytest.raises(RuntimeError, match=r"record_gates cannot record inside torch\.compile"):
        torch.compile(function, backend="eager", fullgraph=True)(x)
    # Where the graph may break, Dynamo leaves the function, or runs what is around: that is told, or all is as without.
    with suppress(RuntimeError):
        assert torch.equal(torch.compile(function, backend="eager")(x), network.channel.gates(x)["channel"])
    gates = torch.compile(lambda x: network.gates(x), backend="eager", fullgraph=True)(x)
    assert same(gates, network.gates(x))


def test_torch_refuses(torch):
    import attn_torch

    with (
        pytest.raises(TypeError, match=r"^record_gates takes a network, a torch\.nn\.Module, got CBAM\.$"),
        attn_torch.record_gates(core.CBAM(32)),
    ):
        pass
    with (
        pytest.raises(ValueError, match=r"^NonLocal has no layer of attn_torch with gates: there is nothing to"),
        attn_torch.record_gates(attn_torch.NonLocal(4)),
    ):
        pass


# ---- Keras -----------------------------------------------------------------------------------------------------------

KERAS_CHECKS = ["network", "own_networks", "contexts_end", "compiled", "refuses"]


@pytest.mark.parametrize("check", KERAS_CHECKS)
def test_keras(keras_backend: str, check: str):
    in_keras(keras_backend, "keras_recording", check)


def test_keras_every_block(keras_backend: str):
    in_keras(keras_backend, "keras_recording", "every_block", WITH_GATES)


# ---- JAX -------------------------------------------------------------------------------------------------------------


def last(array: np.ndarray) -> np.ndarray:
    return np.moveaxis(array, 1, -1).astype("float32")


IMAGE = last(np.random.default_rng(0).standard_normal((2, 3, 24, 20)))
PATHS = [name.replace(".", "/") for name in NAMES]


@pytest.mark.parametrize("name", WITH_GATES)
def test_linen_every_block(name: str):
    need("linen")
    from attn_jax import linen

    case = EXAMPLES[name]
    bound = linen.bind(case.block, case.weights)
    module, variables = bound.unbind()
    inputs = case.channels_last
    output, gates = linen.record_gates(module)(variables, *inputs)
    assert np.array_equal(output, bound(*inputs))
    assert same(merged(gates), bound.gates(*inputs))


def test_linen_network():
    need("linen")
    import jax
    from flax import linen as nn

    from attn_jax import linen

    module, variables = linen.bind(NETWORK).unbind()
    called: Counter[str] = Counter()

    def count(run, given, options, context):
        called.update([(*context.module.path, context.method_name)])
        return run(*given, **options)

    with nn.intercept_methods(count):
        plain, moved = module.apply(variables, IMAGE, train=True, mutable=["batch_stats"])
    alone = called.copy()
    called.clear()
    with nn.intercept_methods(count):
        (output, state), gates = linen.record_gates(module)(variables, IMAGE, train=True, mutable="batch_stats")
    assert sorted(gates) == sorted(PATHS)
    assert called == alone, "no module is called twice"
    assert np.array_equal(output, plain)
    assert jax.tree.all(jax.tree.map(np.array_equal, state, moved))
    compiled = jax.jit(linen.record_gates(module))(variables, IMAGE)[1]
    slope = jax.grad(
        lambda x: sum(
            gate.sum() for calls in linen.record_gates(module)(variables, x)[1].values() for gate in calls[0].values()
        )
    )(IMAGE)
    assert sorted(compiled) == sorted(PATHS)
    assert abs(slope).max() > 0
    assert set(module.init(jax.random.key(0), IMAGE)) == {"params", "batch_stats"}


def test_linen_networks_of_users():
    need("linen")
    import jax
    from flax import linen as nn

    from attn_jax import linen

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            attention = linen.SqueezeExcitation(2)
            return linen.Generic(Apart(), name="apart")(attention(attention(nn.Conv(4, (3, 3))(x))))

    variables = Net().init(jax.random.key(0), IMAGE)
    gates = linen.record_gates(Net())(variables, IMAGE)[1]
    counts = {name: len(calls) for name, calls in gates.items()}
    assert counts == {"SqueezeExcitation_0": 2, "apart": 1, "apart/inner": 1}
    assert [set(gates[name][0]) for name in ("apart", "apart/inner")] == [{"mine"}, {"channel"}]


def test_linen_in_a_scan_needs_a_rule():
    need("linen")
    import jax
    from flax import linen as nn

    from attn_jax import linen

    class Body(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return linen.SqueezeExcitation(2, name="attention")(x), None

    def scanned(**axes: int):
        kind = nn.scan(Body, variable_axes={"params": 0, **axes}, split_rngs={"params": True}, length=3)
        return kind(), kind().init(jax.random.key(0), IMAGE, None)

    module, variables = scanned(gates=0)
    assert linen.record_gates(module)(variables, IMAGE, None)[1]["attention"][0]["channel"].shape == (3, 2, 3)
    module, variables = scanned()
    with pytest.raises(RuntimeError, match=r"^attention cannot hand out its gates: give nn.scan or nn.vmap a rule for"):
        linen.record_gates(module)(variables, IMAGE, None)


def test_linen_refuses():
    need("linen")
    from attn_jax import linen

    bound = linen.bind(core.NonLocal(3))
    module, variables = bound.unbind()
    with pytest.raises(ValueError, match=r"^record_gates takes no bound module: module, variables = bound\.unbind\(\)"):
        linen.record_gates(bound)
    with pytest.raises(ValueError, match=r"^No layer of attn_jax\.linen with gates ran in this NonLocal: "):
        linen.record_gates(module)(variables, IMAGE)
    with pytest.raises(TypeError, match=r"^record_gates takes a network, a flax\.linen\.Module, got CBAM\.$"):
        linen.record_gates(core.CBAM(32))


@pytest.mark.parametrize("name", WITH_GATES)
def test_nnx_every_block(name: str):
    need("nnx")
    from attn_jax import nnx as package

    case = EXAMPLES[name]
    module = package.bind(case.block, case.weights)
    module.eval()
    inputs = case.channels_last
    with package.record_gates(module) as gates:
        output = module(*inputs)
    assert np.array_equal(output, module(*inputs))
    assert same(merged(gates), module.gates(*inputs))


def test_nnx_network():
    """In training, compiled, and inside of a gradient; one context inside another."""
    need("nnx")
    import jax
    from flax import nnx

    from attn_jax import nnx as package

    module = package.bind(NETWORK, core.initialise(NETWORK, 1))
    plain = nnx.clone(module)
    with package.record_gates(module) as outer:
        with package.record_gates(module) as inner:
            output = module(IMAGE)
        run = nnx.jit(lambda module, x: module(x))
        run(module, IMAGE)
        nnx.grad(lambda module: module(IMAGE).sum())(module)
    assert sorted(inner) == sorted(outer) == sorted(PATHS)
    assert {len(calls) for calls in outer.values()} == {3}
    assert np.array_equal(output, plain(IMAGE))
    run(plain, IMAGE)
    nnx.grad(lambda module: module(IMAGE).sum())(plain)
    assert jax.tree.all(jax.tree.map(np.array_equal, nnx.state(module), nnx.state(plain))), "statistics as without"


def test_nnx_networks_of_users():
    need("nnx")
    from flax import nnx

    from attn_jax import nnx as package

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.layers = nnx.List([nnx.Conv(3, 4, (3, 3), rngs=rngs), package.SqueezeExcitation(4, 2, rngs=rngs)])
            self.apart, self.idle = package.bind(Apart()), package.CBAM(4, 2, rngs=rngs)

        def __call__(self, x):
            return self.apart(self.layers[1](self.layers[1](self.layers[0](x))))

    network = Net(nnx.Rngs(0))
    graph, state = nnx.split(network)
    with package.record_gates(network) as gates:
        network(IMAGE)
    assert {name: len(calls) for name, calls in gates.items()} == {"layers/1": 2, "apart": 1, "apart/inner": 1}
    assert [set(gates[name][0]) for name in ("apart", "apart/inner")] == [{"mine"}, {"channel"}]
    with (
        pytest.raises(RuntimeError, match=r"^No layer with gates of this Net was run: run the network itself; a copy"),
        package.record_gates(network),
    ):
        nnx.merge(graph, state)(IMAGE)
    with pytest.raises(ZeroDivisionError), package.record_gates(network):
        network(1 / 0)
    assert nnx.split(network)[0] == graph
    with (
        pytest.raises(ValueError, match=r"^NonLocal has no layer of attn_jax\.nnx with gates: there is nothing to"),
        package.record_gates(package.bind(core.NonLocal(3))),
    ):
        pass
