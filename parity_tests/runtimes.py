"""The runtimes under test, each behind one function `run`. Keras runs once for each of its backends."""

from __future__ import annotations

import atexit
import gc
import importlib.util
import itertools
import multiprocessing
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any, NoReturn

import pytest

from attn_core import parity
from attn_core.parity import Outcome
from attn_core.spec import Block
from attn_core.weights import Weights

LARGE = 1_000_000  # numbers of an array

GOLDEN = Path(__file__).parent / "golden"

seconds: Counter[str] = Counter()  # of the processor, that each backend's process has used
processes: dict[str, ProcessPoolExecutor] = {}  # of one Keras backend each
calls = itertools.count(1)
FORGOTTEN = 50  # calls, after which what JAX has compiled takes hundreds of megabytes

FRAMEWORKS = {
    "torch": ["torch"],
    "keras-tensorflow": ["keras", "tensorflow"],
    "keras-jax": ["keras", "jax"],
    "keras-torch": ["keras", "torch"],
    "linen": ["jax", "flax"],
    "nnx": ["jax", "flax"],
}


EXTRAS = {
    "examples": ["matplotlib", "scipy", "sklearn"],
    "hdf5": ["h5py"],
    "parity": ["jinja2", "junitparser"],
    "browser": ["selenium"],
}


def missing(name: str) -> list[str]:
    """Return the packages that this runtime or extra needs and that are not installed."""
    return [package for package in (FRAMEWORKS | EXTRAS)[name] if importlib.util.find_spec(package) is None]


def need(name: str) -> str:
    """Return the runtime's or extra's name if it is installed; else skip, or fail where everything should be there."""
    if absent := missing(name):
        lacking(f"{name} needs {', '.join(absent)}")
    return name


def lacking(sentence: str) -> NoReturn:
    """Skip, or fail where everything should be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{sentence}, which should be installed here")
    pytest.skip(sentence, allow_module_level=True)


def run(name: str, *args: Any, **options: Any) -> Outcome:
    """Run a block in a runtime; see `attn_core.parity.Runtime`."""
    if name.startswith("keras-"):
        return in_keras(name.removeprefix("keras-"), "attn_tf.runtime", "run", *args, **options)
    forget_compiled()
    return parity.runtime(name).run(*args, **options)


def in_keras(backend: str, module: str, function: str, *args: Any, **options: Any) -> Any:
    """Call a module's function in the process whose Keras has this backend; a backend is for life."""
    result, seconds[backend] = _process(backend).submit(_call, module, function, *args, **options).result()
    return result


def _call(module: str, function: str, *args: Any, **options: Any) -> tuple[Any, float]:
    """Call the function; large arrays are freed at once, for a layer and its variables hold each other.

    Returned with the result: how many seconds of the processor this process has used.
    """
    result = getattr(importlib.import_module(module), function)(*args, **options)
    if any(array.size > LARGE for each in args if isinstance(each, dict) for array in each.values()):
        gc.collect()
    forget_compiled()
    return result, time.process_time()


def forget_compiled() -> None:
    """Drop what JAX has compiled, each time that there is much of it: no test needs a program of another."""
    if next(calls) % FORGOTTEN == 0 and "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


def fresh(name: str, block: Block, draws: int) -> list[Weights]:
    """Draw fresh weights with the runtime's own generator, a few times."""
    if name.startswith("keras-"):
        return in_keras(name.removeprefix("keras-"), "keras_checks", "fresh", block, draws)
    if name == "torch":
        import torch

        import attn_torch as package

        torch.manual_seed(0)
        return [package.weights(package.bind(block)) for _ in range(draws)]
    import jax
    from flax import nnx

    package = importlib.import_module(f"attn_jax.{name}")
    starts = [{"key": jax.random.key(i)} if name == "linen" else {"rngs": nnx.Rngs(i)} for i in range(draws)]
    return [package.weights(package.bind(block, **start)) for start in starts]


@cache
def recipe() -> ModuleType:
    """Return the module beside the PyTorch recordings that makes their weights and inputs."""
    spec = importlib.util.spec_from_file_location("recipe", GOLDEN / "torch" / "recipe.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _process(backend: str) -> ProcessPoolExecutor:
    """Return the process whose Keras has this backend, and end one with another: each takes a gigabyte or two."""
    for other in [name for name in processes if name != backend]:
        processes.pop(other).shutdown()
        seconds.pop(other, None)  # the system counts them with those of children that ended
    if backend not in processes:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(1, mp_context=context, initializer=_prepare, initargs=(backend,))
        atexit.register(pool.shutdown)
        processes[backend] = pool
    return processes[backend]


def _prepare(backend: str) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(KERAS_BACKEND=backend, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")


def _end_with_parent() -> None:
    """End this process when its parent is gone: a worker of pytest-xdist that is stopped shuts nothing down."""
    multiprocessing.parent_process().join()
    os._exit(0)
