"""What a test of a block is made of: configurations with weights and images, and recordings of other people's code.

Each file of `parity_tests/blocks` has `CASES`, `RECORDINGS` and `naive` for the block of the same file name in
`attn_core/blocks`. Cases are small: the reference differentiates number by number. Some have dicts beside them:

- `EXPRESSIBLE`: by dialect, blocks that it can express, each with the options that its sizes do not tell.
- `REFUSED`: configurations that cannot be built, and the whole sentence that says so.
- `RESOLVED`: configurations, and what fields and properties are where that follows from others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from runtimes import GOLDEN, recipe

import attn_core as core
from attn_core import dialects, parity
from attn_core.interpreters.rounding import Bounded, bounded
from attn_core.interpreters.shapes import output_shape
from attn_core.parity import Outcome
from attn_core.parity.draws import started
from attn_core.weights import Weights
from attn_core.weights.dialects.layout import Entry

Array = np.ndarray


def _exact(values: Array) -> Array:
    """Round to numbers that float32 holds, so that every dtype starts from the same ones."""
    return np.asarray(values).astype(np.float32).astype(np.float64)


def _as_after_a_relu(image: Array) -> Array:
    """Cut an image at 0 and round it to halves; its second channel and its first pixel are dead."""
    cut = np.maximum(np.round(2 * image - 1) / 2, 0)
    cut[:, 1] = 0
    cut[(slice(None), slice(None), *(0,) * (image.ndim - 2))] = 0
    return cut


@dataclass(frozen=True)
class Case:
    """A block, its weights, inputs and a cotangent, all from one seed.

    `more` are inputs beside the image; `beside`, the sizes of further images, where not its own. `still` names what has
    no gradient by the block's definition, `cut` what has one and also reaches the output on a way that gradients do not
    take. `alive` is the share of each weight's numbers that must have one: of small networks some units never fire,
    which recordings of whole ones make up for. `dtypes` leaves out float32 where several normalisations in a row, in
    training, lose its digits. `ties` makes the image one as after a relu: in steps of one half, with equal maxima, a
    dead channel (whose weights have no gradient) and a dead pixel.
    """

    block: core.Block
    shape: tuple[int, ...]
    seed: int = 0
    train: bool = False
    more: tuple[Array, ...] = ()
    beside: tuple[tuple[int, ...], ...] = ()
    still: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    alive: float = 1.0
    ties: bool = False
    dtypes: tuple[str, ...] = ("float64", "float32")

    @property
    def weights(self) -> Weights:
        """Weights with every value moved off its start, so that no bias is 0; in float32 numbers."""
        rng = np.random.default_rng([self.seed, 1])
        moved = {name: a + rng.normal(0, 0.3, a.shape) for name, a in started(self.block, self.seed).items()}
        return {name: (abs(a) if name.endswith("running_var") else a).astype(np.float32) for name, a in moved.items()}

    @property
    def image(self) -> Array:
        """Noise with an offset for each sample and channel; with ties, as after a relu."""
        image = parity.sample_image(self.shape, self.seed)
        return _exact(_as_after_a_relu(image) if self.ties else image)

    @property
    def inputs(self) -> Array | tuple[Array, ...]:
        """The image, or all inputs of a block that has several."""
        return self.given if len(self.given) > 1 else self.image

    @property
    def given(self) -> tuple[Array, ...]:
        """All inputs; images beside the first are of its size, or of that in `beside`."""
        others = self.block.example()[1 : self.block.images]
        sizes = self.beside or (self.shape[2:],) * len(others)
        shapes = [(self.shape[0], other[1], *size) for other, size in zip(others, sizes, strict=True)]
        images = (parity.sample_image(shape, self.seed + i) for i, shape in enumerate(shapes, 100))
        return (self.image, *(_exact(a) for a in (*images, *self.more)))

    @property
    def channels_last(self) -> list[Array]:
        """All inputs in float32, images as Keras and Flax take them."""
        arrays = [array.astype(np.float32) for array in self.given]
        return [np.moveaxis(array, 1, -1) if i < self.block.images else array for i, array in enumerate(arrays)]

    @property
    def cotangent(self) -> Array:
        """Random numbers, in the output's shape."""
        shape = output_shape(self.block, *(a.shape for a in self.given))
        return _exact(np.random.default_rng([self.seed, 2]).standard_normal(shape))

    @property
    def numbers(self) -> int:
        """How many numbers have a gradient: so often the reference runs, to differentiate number by number."""
        trained = sum(math.prod(array.shape) for array in self.block.arrays().values() if array.trainable)
        return trained + sum(array.size for array in self.given)

    def expected(self, *, unbiased: bool = True) -> Outcome:
        """Compute the reference's outcome, its gradients number by number."""
        options = {"train": self.train, "unbiased": unbiased}
        return parity.expected(self.block, self.weights, self.inputs, self.cotangent, **options)

    def bounded(self, dtype: str = "float32", *, unbiased: bool = True) -> Bounded:
        """Compute the same with gradients by the chain rule, which is fast, and bounds of what rounding does to it."""
        return bounded(self.block, self.weights, self.inputs, self.cotangent, dtype, self.train, unbiased=unbiased)

    @cached_property
    def single(self) -> Bounded:
        """What the block computes, and what float32 may make of it."""
        return self.bounded("float32")

    def share(self, output: Array, *, unbiased: bool = True, **others: Mapping[str, Array]) -> float:
        """Return the largest error in units of its bound in float32, of those arrays that are given: at most 1.

        They may be of any framework; `others` are `gradients` and `statistics`, as in `Outcome`.
        """
        wanted = self.single if unbiased else self.bounded("float32", unbiased=False)
        arrays = {kind: {name: _exact(array) for name, array in given.items()} for kind, given in others.items()}
        found = Outcome(_exact(output), {}, **{"gradients": {}, **arrays})
        return max(tensor.share for tensor in parity.compared(found, wanted) if tensor.name in found.arrays())


@dataclass(frozen=True)
class GateAlone(core.Block):
    """A gate of another block, as some authors' classes return it."""

    block: core.Block
    gate: str

    def parts(self) -> dict[str, core.Block]:
        return {"inner": self.block}

    def forward(self, f: Any, p: Any, x: Any) -> Any:
        return p.inner.gates(x)[self.gate]


@dataclass(frozen=True)
class WithGate(core.Block):
    """A block whose output has a gate of it as further channels, for classes that return both.

    It runs the block's own parts, once but for those of the gate, which are not to be normalised.
    """

    block: core.Block
    gate: str

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.block.inputs

    @property
    def images(self) -> int:
        return self.block.images

    def parts(self) -> dict[str, Any]:
        return self.block.parts()

    def forward(self, f: Any, p: Any, *given: Any) -> Any:
        return f.concat([self.block.forward(f, p, *given), self.block.gates(f, p, *given)[self.gate]])


@dataclass(frozen=True)
class Recording:
    """A class of other people's code that was run and recorded, the block that is the same, and the class's dialect.

    The dialect reads just this block from the recorded tensors, given `options` that their sizes do not tell; None is
    for a block without weights. `gate` names the gate that the class returns, where it does not return the product with
    the image, `also` one that it returns beside that. `as_run` is the block with what their framework computes
    otherwise. `order` says which of the class's inputs each of ours is. `prefix` stands before its arrays.
    """

    folder: str
    block: core.Block
    dialect: str | None
    options: Mapping[str, object] = field(default_factory=dict)
    gate: str | None = None
    also: str | None = None
    as_run: core.Block | None = None
    order: tuple[int, ...] = (0,)
    modes: tuple[str, ...] = ("eval",)
    dtypes: tuple[str, ...] = ("float64", "float32")  # without one in which their own code does not keep our bound
    prefix: str = ""
    float64_in: tuple[str, ...] | None = None  # the runtimes that take float64, where others take minutes for it

    def runs(self, runtime: str, dtype: str) -> bool:
        """Say whether the block is run in this runtime and dtype."""
        return dtype in self.dtypes and (dtype == "float32" or self.float64_in is None or runtime in self.float64_in)

    @cached_property
    def files(self) -> tuple[dict, dict[str, Array]]:
        """The recording's description and arrays."""
        return recipe().load(GOLDEN / self.folder)

    @cached_property
    def origins(self) -> dict[str, Entry]:
        """Where each array of ours comes from, and what is done to it."""
        entries = dialects.get(self.dialect).entries(self.block) if self.dialect else ()
        named = (replace(entry, key=self.prefix + entry.key) for entry in entries)
        return {name: entry for entry in named for name in entry.ours}

    def ours(self, name: str, theirs: Array) -> Array:
        """Return an array of ours, made of the one of theirs: a weight, a gradient, a statistic."""
        return self.origins[name].take(theirs)[name]

    @property
    def weights(self) -> Weights:
        """Our weights, of the tensors that the recipe makes."""
        theirs = recipe().state(self.files[0])
        return dialects.read(self.dialect, theirs, **self.options)[1] if self.dialect else {}

    @property
    def image(self) -> Array:
        """The first input of ours."""
        return self.images[0]

    @property
    def images(self) -> tuple[Array, ...]:
        """All inputs, in our order."""
        theirs = recipe().inputs(self.files[0])
        return tuple(self._canonical(theirs[i].astype(np.float64)) for i in self.order)

    @property
    def inputs(self) -> Array | tuple[Array, ...]:
        """The image, or all inputs of a block that has several."""
        return self.images if len(self.images) > 1 else self.image

    @property
    def cotangent(self) -> Array:
        """The cotangent of what the class returned."""
        theirs = recipe().cotangents(self.files[0])[: 2 if self.also else 1]
        return np.concatenate([self._canonical(array.astype(np.float64)) for array in theirs], 1)

    def _canonical(self, array: Array) -> Array:
        return np.moveaxis(array, -1, 1) if self.files[0]["layout"] == "NHWC" else array

    @property
    def given(self) -> tuple[core.Block, Weights, Array | tuple[Array, ...]]:
        """The block that returns what the class did, its weights, and the image or all inputs."""
        if self.gate:
            inner = {f"inner.{name}": array for name, array in self.weights.items()}
            return GateAlone(self.block, self.gate), inner, self.inputs
        if self.also:
            return WithGate(self.block, self.also), self.weights, self.inputs
        return self.as_run or self.block, self.weights, self.inputs

    @property
    def pull(self) -> Array:
        """The cotangent in the shape of the block's output: a gate of channels is a vector here."""
        return self.cotangent.reshape(output_shape(self.given[0], *(image.shape for image in self.images)))

    def named(self, found: Mapping[str, Array]) -> dict[str, Array]:
        """Return what `given` computed by the names, and in the shape, of what was recorded."""
        plain = {key.replace(":inner.", ":"): array for key, array in found.items() if not key.startswith("gate:")}
        return plain | {"output": found["output"].reshape(self.cotangent.shape)}

    def recorded(self, mode: str, dtype: str = "f64") -> dict[str, Array]:
        """Return everything that was recorded in this mode and dtype, by our names.

        Of large arrays, summaries were recorded: they have a # and the summary's name after the array's.
        """
        io, prefix = self.files[1], f"{dtype}/{mode}/"
        whole = {"output": "output", **self._of_inputs}
        found = {ours: self._canonical(io[prefix + theirs]) for theirs, ours in whole.items() if prefix + theirs in io}
        if self.also:
            found["output"] = np.concatenate([self._canonical(io[f"{prefix}output{i}"]) for i in range(2)], 1)
        for name, array in self.block.arrays().items():
            kind = "grad" if array.trainable else "stat"
            theirs = f"{prefix}{kind}:{self.origins[name].key}"
            if theirs in io:
                found[f"{kind}:{name}"] = self.ours(name, io[theirs])
        return found | self._summaries(prefix)

    @property
    def _of_inputs(self) -> dict[str, str]:
        """Our names of the gradients of inputs, by theirs."""
        numbers = [f"{i}" if len(self.order) > 1 else "" for i in self.order]
        return {f"grad:input{i}": f"grad:{name}" for i, name in zip(numbers, self.block.inputs, strict=False)}

    def _summaries(self, prefix: str) -> dict[str, Array]:
        arrays = self.block.arrays().items()
        names = {f"{'grad' if a.trainable else 'stat'}:{name}": self.origins[name].key for name, a in arrays}
        ours = {f"{key.partition(':')[0]}:{theirs}": key for key, theirs in names.items()}
        ours |= {"output": "output", **self._of_inputs}
        found = {}
        for key, array in self.files[1].items():
            name, _, part = key.removeprefix(prefix).partition("#")
            if key.startswith(prefix) and part and name in ours:
                found[f"{ours[name]}#{part}"] = array
        return found


def summarised(found: Mapping[str, Array], wanted: Iterable[str]) -> dict[str, Array]:
    """Return what is wanted of the arrays found: themselves, or their summaries."""
    parts = {}
    for key in wanted:
        name, _, part = key.partition("#")
        if part and f"{name}#{part}" not in parts:
            whole = recipe().summary(found[name], name not in ("output", "grad:input"), small=0)
            parts |= {f"{name}{suffix}": array for suffix, array in whole.items()}
        elif not part:
            parts[name] = found[name]
    return parts
