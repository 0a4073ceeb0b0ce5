"""Statistics of a batch that is spread over devices: two replicas compute what one process does with all of it.

For every block that keeps statistics, and a network; outputs, gradients and what moved.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blocks import EXAMPLES
from runtimes import need

import attn_core as core
from attn_core.interpreters.rounding import bounded
from attn_core.parity.draws import Draw, draw
from attn_core.spec import Block, Part, parts

HERE = Path(__file__).parent
BOUND = 1e-10  # of the largest number, in float64: replicas add up in another order


def keeps_statistics(block: Block) -> bool:
    found = block.parts().values()
    inside = any(keeps_statistics(part) for part in found if isinstance(part, Block))
    return inside or any(isinstance(part, (parts.BatchNorm, parts.Running)) for part in found)


def has_dropout(block: Part | Block) -> bool:
    if isinstance(block, Block):
        return any(map(has_dropout, block.parts().values()))
    return isinstance(block, parts.Dropout) and block.rate > 0


def is_subject(block: Block) -> bool:
    """Say whether a block of images alone keeps statistics, and draws no numbers of its own."""
    return keeps_statistics(block) and not has_dropout(block) and block.images == len(block.inputs)


SUBJECTS: dict[str, Block] = {
    **{name: case.block for name, case in EXAMPLES.items() if is_subject(case.block)},
    "CBAM": core.CBAM(4, 2, 3, norm=True),
    "NonLocal": core.NonLocal(4, 2, norm=True),
    "AttentionGate on a grid": core.AttentionGate(4, 3, grid=2),
}
SHAPES = {name: case.shape for name, case in EXAMPLES.items()}
SHAPES |= dict.fromkeys(("CBAM", "NonLocal", "AttentionGate on a grid"), (4, 4, 5, 6))


def drawn(name: str) -> Draw:
    """Return weights and four images of each kind: two for each replica."""
    space = SHAPES[name][2:]
    shapes = [(4, shape[1], *space) for shape in SUBJECTS[name].example()]
    return draw(SUBJECTS[name], shapes, 0, "float64")


def of_one(name: str, biased: bool = False) -> dict[str, np.ndarray]:
    """Return what one process computes of the whole batch, by the reference.

    With `biased`, running variances move towards the biased variance, as in Keras and Flax.
    """
    it = drawn(name)
    given = (SUBJECTS[name], it.weights, it.given, it.cotangent, "float64")
    return by_name(bounded(*given, train=True, unbiased=not biased).values)


def by_name(outcome: Any) -> dict[str, np.ndarray]:
    """Return all arrays; statistics by the names of the weights that they are."""
    return outcome.arrays() | outcome.statistics


def agree(found: dict[str, np.ndarray], name: str, biased: bool) -> None:
    wanted = of_one(name, biased)
    for key, array in found.items():
        error = np.abs(array - wanted[key]).max() / max(np.abs(wanted[key]).max(), 1)
        assert error < BOUND, (name, key, error)
    assert any("running" in key or "bases" in key for key in found)


# ---- JAX -------------------------------------------------------------------------------------------------------------


def halves(array: Any) -> Any:
    return array.reshape(2, 2, *array.shape[1:])


@pytest.mark.parametrize("name", SUBJECTS)
def test_linen(name: str):
    """`vmap` with a name for its axis is what `pmap` and `shard_map` do on devices."""
    need("linen")
    import jax
    import jax.numpy as jnp

    from attn_jax import linen

    block, it = SUBJECTS[name], drawn(name)
    with jax.enable_x64(True):
        module, variables = linen.bind(block, it.weights, param_dtype=jnp.float64, axis_name="replicas").unbind()
        images = [jnp.asarray(np.moveaxis(image, 1, -1)) for image in it.inputs]
        cotangent = jnp.asarray(last(it.cotangent))

        def loss(params: Any, images: Any) -> Any:
            given = variables | {"params": params}

            def one(images: Any) -> Any:
                return module.apply(given, *images, train=True, mutable=["batch_stats"])

            y, moved = jax.vmap(one, axis_name="replicas")([halves(x) for x in images])
            y = y.reshape(-1, *y.shape[2:])
            return (y * cotangent).sum(), (y, jax.tree.map(lambda leaf: leaf[0], moved))

        slopes = jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True))
        (_, (y, moved)), (gradient, of_images) = slopes(variables["params"], images)
        found = linen.weights(module.bind(variables | moved))
        gradients = linen.weights(module.bind(variables | {"params": gradient}))
    agree(collected(block, first(y), list(map(first, of_images)), gradients, found), name, biased=True)


@pytest.mark.parametrize("name", ["ExpectationMaximizationAttention", "CBAM", "AttentionGate"])
def test_nnx(name: str):
    need("nnx")
    import jax
    import jax.numpy as jnp
    from flax import nnx as flax_nnx

    from attn_jax import nnx

    block, it = SUBJECTS[name], drawn(name)
    with jax.enable_x64(True):
        module = nnx.bind(block, it.weights, param_dtype=jnp.float64, axis_name="replicas")
        module.train()
        graph, state = flax_nnx.split(module)

        def one(state: Any, images: Any) -> Any:
            own = flax_nnx.merge(graph, state)
            return own(*images), flax_nnx.state(own)

        images = [halves(jnp.asarray(np.moveaxis(image, 1, -1))) for image in it.inputs]
        y, moved = jax.vmap(one, (None, 0), axis_name="replicas")(state, images)
        after = flax_nnx.merge(graph, jax.tree.map(lambda leaf: leaf[0], moved))
        found = nnx.weights(after)
    statistics = {key: found[key] for key, array in block.arrays().items() if not array.trainable}
    agree({"output": first(y.reshape(4, *y.shape[2:])), **statistics}, name, biased=True)


def first(x: Any) -> np.ndarray:
    """Put channels first, where there is space."""
    return np.moveaxis(np.asarray(x), -1, 1) if x.ndim > 2 else np.asarray(x)


def last(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, 1, -1) if x.ndim > 2 else x


def collected(
    block: Block, output: Any, of_images: list[Any], gradients: dict[str, Any], after: dict[str, Any]
) -> dict[str, np.ndarray]:
    inputs = {f"grad:{name}": gradient for name, gradient in zip(block.inputs, of_images, strict=True)}
    trainable = {f"grad:{name}": gradients[name] for name, array in block.arrays().items() if array.trainable}
    moved = {name: after[name] for name, array in block.arrays().items() if not array.trainable}
    return {"output": output, **inputs, **trainable, **moved}


def test_sharded_batch_on_devices():
    """Two devices: `shard_map` with the axis' name, and `jit` with a sharded batch and weights, which needs none."""
    need("linen")
    run("jax_on_devices", {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"})


def jax_on_devices() -> None:
    import jax
    import jax.numpy as jnp
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    from attn_jax import linen

    jax.config.update("jax_enable_x64", True)
    assert len(jax.devices()) == 2
    mesh = jax.make_mesh((2,), ("replicas",), axis_types=(AxisType.Auto,))

    def last_axis(leaf: Any) -> Any:
        """Spread weights over their outputs, where these can be halved."""
        is_even = leaf.ndim and not leaf.shape[-1] % 2
        return PartitionSpec(*[None] * (leaf.ndim - 1), "replicas") if is_even else PartitionSpec()

    for name in ("ExpectationMaximizationAttention", "SEResNet"):
        block, it = SUBJECTS[name], drawn(name)
        image = jnp.asarray(last(it.image))
        for axis_name in ("replicas", None):
            module, variables = linen.bind(block, it.weights, param_dtype=jnp.float64, axis_name=axis_name).unbind()

            def apply(variables: Any, x: Any, module: Any = module) -> Any:
                return module.apply(variables, x, train=True, mutable=["batch_stats"])

            if axis_name is None:
                rows = jax.tree.map(lambda leaf: NamedSharding(mesh, last_axis(leaf)), variables)
                batch = NamedSharding(mesh, PartitionSpec("replicas"))
                y, moved = jax.jit(apply)(jax.device_put(variables, rows), jax.device_put(image, batch))
            else:
                specs = {
                    "in_specs": (PartitionSpec(), PartitionSpec("replicas")),
                    "out_specs": (PartitionSpec("replicas"), PartitionSpec()),
                }
                y, moved = jax.jit(jax.shard_map(apply, mesh=mesh, check_vma=False, **specs))(variables, image)
            found = linen.weights(module.bind(variables | jax.device_get(moved)))
            statistics = {key: found[key] for key, array in block.arrays().items() if not array.trainable}
            agree({"output": first(jax.device_get(y)), **statistics}, name, biased=True)


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


def test_torch():
    """Two processes, `DistributedDataParallel` around each layer; gradients are means, as there."""
    need("torch")
    run("torch_in_two_processes", {})


def torch_in_two_processes() -> None:
    import torch.multiprocessing as processes

    processes.spawn(torch_replica, nprocs=2)


def torch_replica(rank: int) -> None:
    import tempfile

    import torch
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    import attn_torch

    torch.set_num_threads(1)
    store = Path(tempfile.gettempdir()) / f"attn_{os.getppid()}"
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    for name, block in SUBJECTS.items():
        it = drawn(name)
        layer = attn_torch.synchronized(attn_torch.bind(block, it.weights, dtype=torch.float64)).train()
        network = DistributedDataParallel(layer) if any(p.requires_grad for p in layer.parameters()) else layer
        own = slice(2 * rank, 2 * rank + 2)
        images = [torch.tensor(image[own], requires_grad=True) for image in it.inputs]
        y = network(*images)
        (y * torch.tensor(it.cotangent[own])).sum().backward()
        wanted = of_one(name)
        found = {"output": y.detach().numpy()}
        found |= {f"grad:{key}": image.grad.numpy() for key, image in zip(block.inputs, images, strict=True)}
        for key, array in found.items():
            assert np.abs(array - wanted[key][own]).max() < BOUND * np.abs(wanted[key]).max(), (name, key)
        state = {key: tensor.detach().numpy() for key, tensor in layer.state_dict().items()}
        gradients = {f"grad:{key}": 2 * p.grad.numpy() for key, p in layer.named_parameters() if p.grad is not None}
        assert {key.removeprefix("grad:") for key in gradients} == {
            key for key, array in block.arrays().items() if array.trainable and not key.startswith("embed")
        }
        moved = {key: state[key] for key, array in block.arrays().items() if not array.trainable}
        agree({**gradients, **moved}, name, biased=False)
        network(*(image.detach() for image in images))  # a second step, for which DDP has waited for every gradient
    for name in ("ExpectationMaximizationAttention", "CBAM", "SEResNet", "AttentionGate"):
        sharded(name, rank)
    dist.barrier()
    dist.destroy_process_group()
    store.unlink(missing_ok=True)


def sharded(name: str, rank: int) -> None:
    """Do the same with weights that are sharded, too: each layer of its own, and the whole."""
    import torch
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    import attn_torch

    block, it = SUBJECTS[name], drawn(name)
    mesh = init_device_mesh("cpu", (2,))
    layer = attn_torch.synchronized(attn_torch.bind(block, it.weights, dtype=torch.float64)).train()
    for module in reversed(list(layer.modules())):
        if isinstance(module, attn_torch.Layer):
            fully_shard(module, mesh=mesh)
    own = slice(2 * rank, 2 * rank + 2)
    y = layer(*(torch.tensor(image[own]) for image in it.inputs))
    (y * torch.tensor(it.cotangent[own])).sum().backward()
    gradients = {
        f"grad:{key}": 2 * p.grad.full_tensor().numpy() for key, p in layer.named_parameters() if p.grad is not None
    }
    state = attn_torch.weights(layer)
    moved = {key: state[key] for key, array in block.arrays().items() if not array.trainable}
    wanted = of_one(name)["output"]
    assert np.abs(y.detach().numpy() - wanted[own]).max() < BOUND * np.abs(wanted).max()
    agree({**gradients, **moved}, name, biased=False)


def test_torch_keeps_what_it_replaces():
    """The same arrays under the same names: an optimizer made before is still right, and a file is still read."""
    need("torch")
    import torch

    import attn_torch

    layer = attn_torch.bind(SUBJECTS["CBAM"])
    before = dict(layer.named_parameters())
    names = list(layer.state_dict())
    assert attn_torch.synchronized(layer) is layer
    assert list(layer.state_dict()) == names
    assert all(parameter is before[name] for name, parameter in layer.named_parameters())
    assert "SynchronizedBatchNorm" in repr(layer)
    x = torch.ones(2, 4, 3, 3)
    layer.train()(x)  # without other processes it is a batch norm
    assert layer.spatial.norm.num_batches_tracked == 1


# ---- Keras -----------------------------------------------------------------------------------------------------------


def test_keras():
    need("keras-tensorflow")
    run("keras_replicas", {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""})


def keras_replicas() -> None:
    import keras
    import tensorflow as tf

    import attn_tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    keras.config.set_dtype_policy("float64")
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    for name in ("ExpectationMaximizationAttention", "CBAM", "Res2Conv", "AttentionGate"):
        block, it = SUBJECTS[name], drawn(name)
        with strategy.scope():
            layer = attn_tf.bind(block, it.weights, data_format="channels_last", synchronized=True)
        spread = [spread_over(strategy, last(image)) for image in it.inputs]

        @tf.function
        def step(*images: Any, layer: Any = layer) -> Any:
            return strategy.run(lambda *images: layer(*images, training=True), images)

        y = np.concatenate([each.numpy() for each in strategy.experimental_local_results(step(*spread))])
        found = attn_tf.weights(layer)
        statistics = {key: found[key] for key, array in block.arrays().items() if not array.trainable}
        agree({"output": first(y), **statistics}, name, biased=True)


def spread_over(strategy: Any, image: np.ndarray) -> Any:
    """Give two images to each replica."""

    def own(context: Any) -> np.ndarray:
        return image[2 * context.replica_id_in_sync_group :][:2]

    return strategy.experimental_distribute_values_from_function(own)


def test_keras_says_where_it_is_of_no_use():
    from runtimes import in_keras

    said = in_keras(need("keras-jax").removeprefix("keras-"), "test_synchronised", "keras_refuses")
    assert said == (
        "synchronized=True is for TensorFlow's replicas, as in Keras' own layers; on JAX, statistics of a sharded "
        "batch are those of the whole batch by themselves."
    )


def keras_refuses() -> str:
    import attn_tf

    try:
        attn_tf.CBAM(2, norm=True, synchronized=True)
    except ValueError as error:
        return str(error)
    return ""


def run(function: str, environment: dict[str, str]) -> None:
    """Run a function of this file in a process of its own: devices are made once in one."""
    given = os.environ | environment | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    code = f"import test_synchronised; test_synchronised.{function}()"
    guarded = f"if __name__ == '__main__':\n    {code}\n"
    script = Path(given.get("TMPDIR", "/tmp")) / f"{function}_{os.getpid()}.py"
    script.write_text(guarded)
    try:
        done = subprocess.run([sys.executable, str(script)], env=given, capture_output=True, text=True, check=False)
    finally:
        script.unlink()
    assert done.returncode == 0, done.stderr[-3000:]
