"""Ejected files are the definition, run alone in float64 against the reference, and look as readers want them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ejected
import numpy as np
import pytest
import runtimes
from blocks import CASES, EXAMPLES
from bounds import BIASED, FLOAT64
from runtimes import need
from tiers import FIRSTS, sample

import attn_core as core
from attn_core import parity
from attn_core.ejecting.eject import LANGUAGES
from attn_core.ejecting.targets import TARGETS
from attn_core.ejecting.words.torch import FUNCTIONS
from attn_core.interpreters.trace import PRIMITIVES
from attn_core.models.registry import KNOWN, example
from attn_core.parity import Outcome
from attn_core.spec import Block, Part, Parts, parts

# Which runtime runs what is written for a target; NumPy has no runtime of its own.
RUNTIMES = {"torch": "torch", "keras": "keras-tensorflow", "linen": "linen", "nnx": "nnx", "numpy": "numpy"}
ALLOWED = {
    "torch": {"math", "numpy", "torch"},
    "keras": {"itertools", "math", "numpy", "keras"},
    "linen": {"collections", "itertools", "math", "typing", "numpy", "jax", "flax"},
    "nnx": {"collections", "itertools", "math", "typing", "numpy", "jax", "flax"},
    "numpy": {"collections", "itertools", "math", "numpy"},
}

# Between them, these call every helper that is easy to get wrong: norms in training, a running array, samples, pools.
ELSEWHERE = ("cbam_official_train", "ema_train", "stn", "mixed")
RUNS = [
    (runtime, case)
    for target, runtime in RUNTIMES.items()
    for case in CASES
    if (target == "torch" or case in FIRSTS or target == "numpy") and not (target == "numpy" and CASES[case].train)
]


def ordinary(run: tuple[str, str]) -> bool:
    """All cases in PyTorch and NumPy; in what is compiled, or needs a process of its own, a few."""
    runtime, case = run
    return runtime in ("torch", "numpy") or case in ELSEWHERE


def written(case: str, target: str) -> str:
    """Return the ejected source of a case's block, for images of its number of axes."""
    c = CASES[case]
    return core.eject(c.block, target, rank=len(c.shape) - 2)


def outcome(target: str, case: str) -> Outcome:
    c = CASES[case]
    given = (written(case, target), c.block, c.weights, c.given, c.cotangent, c.train)
    if target == "keras":
        found: Outcome = runtimes.in_keras("tensorflow", "ejected", "in_keras", *given)
        return found
    return ejected.RUN[target](*given)


@pytest.mark.parametrize(("runtime", "case"), sample(RUNS, ordinary, "these blocks in torch, others in that runtime"))
def test_outcome(runtime: str, case: str):
    """Outputs, gradients of inputs and weights, and running statistics; of NumPy, outputs outside of training."""
    if runtime != "numpy":
        need(runtime)
    c, target = CASES[case], next(target for target in RUNTIMES if RUNTIMES[target] == runtime)
    wanted = replace(c.bounded("float64", unbiased=not (c.train and runtime in BIASED)).values, gates={})
    if target == "numpy":
        wanted = replace(wanted, gradients={})
    found = outcome(target, case)
    assert found.arrays().keys() == wanted.arrays().keys()
    assert {name: error for name, error in parity.errors(found, wanted).items() if not error <= FLOAT64} == {}


@pytest.mark.parametrize("case", ["cbam_official", "ema", "stn", "mixed"])
@pytest.mark.parametrize("keras_backend", ["jax", "torch"])
def test_keras_on_other_backends(keras_backend: str, case: str):
    need(f"keras-{keras_backend}")
    c = CASES[case]
    given = (written(case, "keras"), c.block, c.weights, c.given)
    assert c.share(runtimes.in_keras(keras_backend, "ejected", "output_in_keras", *given)) <= 1


# ---- as their readers would have written them ------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_files_are_formatted_and_clean(target: str, tmp_path: Path):
    cases = CASES if target == "torch" else FIRSTS
    for case in cases:
        (tmp_path / f"{case}.py").write_text(written(case, target))
    for command in (["check"], ["format", "--check"]):
        options = ["--isolated", "--no-cache", "--line-length", "100", str(tmp_path)]
        done = subprocess.run([sys.executable, "-m", "ruff", *command, *options], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_files_need_their_framework_alone(target: str):
    for case in EXAMPLES.values():
        text = core.eject(case.block, target, rank=len(case.shape) - 2)
        tree = ast.parse(text)
        modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert {module.partition(".")[0] for module in modules} <= ALLOWED[target]
        doc = ast.get_docstring(tree) or ""
        assert "MIT License." in doc
        assert repr(case.block).replace('"', "'") in " ".join(doc.split())
        assert " ".join(case.block.source.split()) in " ".join(doc.split())


@pytest.mark.parametrize("target", TARGETS)
def test_every_block_and_network_as_listed(target: str):
    """The examples of `attn show`: they compile, and no line is longer than a reader's."""
    for name in KNOWN:
        text = core.eject(example(name), target)
        compile(text, name, "exec")
        assert max(map(len, text.splitlines())) <= 100, name


def test_instances_that_differ_in_numbers_share_a_class():
    text = core.eject(core.se_resnet_50(10), "torch")
    classes = re.findall(r"^class (\w+)", text, re.MULTILINE)
    blocks = ["SqueezeExcitation", "ResidualBlockWithShortcut", "ResidualBlock"]
    assert classes == [*blocks, "Stage", "Stage2", "Stage3", "SEResNet"]
    layer = ejected.module(text)["SEResNet"]()
    assert sum(weight.numel() for weight in layer.parameters()) == core.se_resnet_50(10).parameters()


def test_what_is_shown_of_one():
    """Names of the definition, one idea for each line."""
    text = core.eject(core.ChannelAttention(64), "torch")
    assert (
        text.rpartition("self.expand = nn.Linear(4, 64, bias=False)\n")[2]
        == '''
    def forward(self, x: Tensor) -> Tensor:
        logits = self.perceptron(x.mean((2, 3))) + self.perceptron(x.flatten(2).max(2).values)
        gate = torch.sigmoid(logits)
        return x * gate[:, :, None, None]

    def perceptron(self, z: Tensor) -> Tensor:
        """Compute W_1 relu(W_0 z) of a vector."""
        hidden = F.relu(self.reduce(z))
        return self.expand(hidden)
'''
    )


# ---- weights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({type(case.block).__name__ for case in CASES.values()}))
def test_state_moves_both_ways(name: str):
    need("torch")
    import attn_torch

    case = next(case for case in CASES.values() if type(case.block).__name__ == name)
    ours = attn_torch.bind(case.block)
    layer = ejected.module(core.eject(case.block, "torch", rank=len(case.shape) - 2))[name]()
    assert list(layer.state_dict()) == list(ours.state_dict())
    layer.load_state_dict(ours.state_dict())
    ours.load_state_dict(layer.state_dict())
    frozen = {key for key, weight in ours.named_parameters() if not weight.requires_grad}
    assert {key for key, weight in layer.named_parameters() if not weight.requires_grad} == frozen


@pytest.mark.parametrize("name", KNOWN)
def test_fresh_weights_follow_the_laws_in_torch(name: str):
    need("torch")
    import torch

    torch.manual_seed(0)
    block = example(name)
    layer = ejected.module(core.eject(block, "torch"))[type(block).__name__]()
    state = layer.state_dict()
    for key, array in block.arrays().items():
        ejected.assert_follows(array.law, state[key].numpy(), key)


FRESH = (core.SqueezeExcitation(64), core.ExpectationMaximizationAttention(64), core.SpatialTransformer(64))


@pytest.mark.parametrize("block", FRESH, ids=lambda block: type(block).__name__)
@pytest.mark.parametrize("runtime", ["keras-tensorflow", "nnx", "linen"])
def test_fresh_weights_follow_the_laws_elsewhere(runtime: str, block: Block):
    need(runtime)
    target = next(target for target in RUNTIMES if RUNTIMES[target] == runtime)
    given = (core.eject(block, target), block, block.example())
    if target == "keras":
        found = runtimes.in_keras("tensorflow", "ejected", "fresh_in_keras", *given)
    else:
        found = ejected.FRESH[target](*given)
    arrays = block.arrays()
    assert found.keys() == arrays.keys()
    for key, array in arrays.items():
        ejected.assert_follows(array.law, found[key], key)


@pytest.mark.parametrize("target", TARGETS)
def test_every_primitive_has_words(target: str):
    """As an expression of its own, or as a helper of its name."""
    language = LANGUAGES[target]()
    functions = FUNCTIONS if target == "torch" else language.words.functions
    said = {*dir(language.words), *functions, *language.helpers}
    assert [name for name in PRIMITIVES if name not in said] == []


# ---- a block of one's own --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Twofold(Block):
    """Scale an image by what two pools of it agree on."""

    source = "Nobody: A block of somebody's own"
    channels: int

    def parts(self) -> dict[str, Part | Block]:
        """Return the layer of both."""
        return {"dense": parts.Dense(self.channels, self.channels)}

    def squeezed(self, f: Any, p: Parts, pooled: Any) -> Any:
        """Compute what one pool says."""
        return f.softmax(f.relu(p.dense(pooled)))

    def forward(self, f: Any, p: Parts, x: Any) -> Any:
        """Compute the product."""
        agreed = f.multiply(self.squeezed(f, p, f.global_mean(x)), self.squeezed(f, p, f.global_length(x)))
        return f.scale(x, agreed)


@pytest.mark.parametrize("target", ["torch", "numpy"])
def test_a_block_of_ones_own(target: str):
    block, rng = Twofold(5), np.random.default_rng(0)
    weights = {name: rng.normal(size=array.shape) for name, array in block.arrays().items()}
    x, pull = rng.normal(size=(2, 2, 5, 3, 4))
    text = core.eject(block, target)
    assert text.count("def squeezed(") == 1
    found = ejected.RUN[target](text, block, weights, (x,), pull, False)
    assert abs(found.output - core.evaluate(block, weights, x)).max() < FLOAT64


@dataclass(frozen=True)
class Affine(Block):
    """Two images, and names that are taken: a helper is called as the block, a part as one of its functions."""

    inputs = ("input", "other")
    images = 2
    channels: int

    def example(self) -> tuple[tuple[int, ...], ...]:
        """Return canonical shapes of both."""
        return ((1, self.channels, 5, 5),) * 2

    def parts(self) -> dict[str, Part | Block]:
        """Return the layer of the gates, another one, and a block."""
        inner = core.SqueezeExcitation(self.channels, hidden=2)
        return {
            "gate": parts.Dense(self.channels, self.channels),
            "affine": parts.Affine(self.channels),
            "inner": inner,
        }

    def gate(self, f: Any, p: Parts, z: Any) -> Any:
        return f.sigmoid(f.relu(p.gate(z)))

    def forward(self, f: Any, p: Parts, *images: Any) -> Any:
        """Compute the product."""
        first, second = images
        gate = f.multiply(self.gate(f, p, f.global_mean(first)), self.gate(f, p, f.global_mean(second)))
        return f.scale(p.inner(p.affine(f.add(first, second))), gate)


def test_names_that_are_taken():
    block, rng = Affine(4), np.random.default_rng(0)
    weights = {name: rng.normal(size=array.shape) for name, array in block.arrays().items()}
    images = tuple(rng.normal(size=(2, 2, 4, 3, 3)))
    wanted = core.evaluate(block, weights, images)
    found = ejected.in_numpy(core.eject(block, "numpy"), block, weights, images, wanted, False)
    assert abs(found.output - wanted).max() < FLOAT64
    need("torch")
    import torch

    layer = ejected.module(core.eject(block, "torch"))["Affine2"]().double()
    layer.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    assert abs(layer(*map(torch.tensor, images)).detach().numpy() - wanted).max() < FLOAT64


@dataclass(frozen=True)
class Shuffled(Block):
    """Take channels in an order that no rule makes."""

    channels: int

    def forward(self, f: Any, p: Parts, x: Any) -> Any:
        """Compute the vector."""
        order = np.random.default_rng(0).permutation(self.channels)[None]
        return f.take(f.matrices(f.global_mean(x), 1), order)


def test_an_index_without_a_rule():
    assert f"np.array({np.random.default_rng(0).permutation(6)[None].tolist()})" in core.eject(Shuffled(6), "torch")
    with pytest.raises(core.SpecError) as refused:
        core.eject(Shuffled(65), "torch")
    assert str(refused.value) == (
        "the block takes numbers by an index of shape (1, 65): constants of more than 64 numbers are written if they "
        "follow a rule that is known; keep the layer instead."
    )


def test_what_listens_is_told_again(monkeypatch: pytest.MonkeyPatch):
    """A debugger or a measure of coverage that traces Python goes on after a block was ejected."""
    heard: list[str] = []

    def listen(frame: Any, event: str, value: Any) -> None:
        heard.append(event)

    before = sys.gettrace()
    sys.settrace(listen)
    try:
        core.eject(core.SqueezeExcitation(8), "torch")
        assert sys.gettrace() is listen
    finally:
        sys.settrace(before)


@pytest.mark.parametrize(
    ("block", "target", "rank", "sentence"),
    [
        (core.CBAM(8), "pytorch", None, "No source can be written for 'pytorch'; nearest: torch: give one of {}."),
        (core.CBAM(8), "caffe", None, "No source can be written for 'caffe': give one of {}."),
        (core.CBAM(8), "torch", 1, "{!r} is for images of 2 spatial axes: give rank=1 as a field of the block."),
        (core.HybridSN(30, 25), "torch", 2, "{!r} is for images of 3 spatial axes: leave rank out."),
        (core.SimAM(8), "torch", 4, "4 is no number of spatial axes that frameworks convolve over: {}"),
    ],
)
def test_refused(block: Block, target: str, rank: int | None, sentence: str):
    with pytest.raises(core.SpecError) as refused:
        core.eject(block, target, rank=rank)
    known, rule = "torch, keras, linen, nnx, numpy", "rank must be 1, 2 or 3."
    filling = {"No": known, "4 ": rule}.get(sentence[:2], block)
    assert str(refused.value) == sentence.format(filling)
