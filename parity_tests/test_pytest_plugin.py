"""The plugin for pytest, in projects as its users have them."""

from __future__ import annotations

import pytest
from runtimes import need

pytest_plugins = ["pytester"]

WRONG = """
import pytest, torch
from torch import nn
import attn_core as core

class SE(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.reduce, self.expand, self.act = nn.Linear(8, 2), nn.Linear(2, 8), act

    def forward(self, x):
        return x * torch.sigmoid(self.expand(self.act(self.reduce(x.mean((2, 3))))))[:, :, None, None]

@pytest.mark.parametrize("act", [torch.relu, torch.tanh])
def test_layer(parity, act):
    checked = parity(SE(act), core.SqueezeExcitation(8, 4))
    assert checked.cells[0].seed == 3
"""
BLOCK = """
import pytest
import attn_core as core

@pytest.mark.parity(block="SqueezeExcitation(4, 2)", runtimes=["torch", "nnx"], shape=(1, 4, 3, 3))
def test_text():
    pass

@pytest.mark.parity(core.CBAM(4, 2, 3, norm=True), runtimes=["torch"], shape=(2, 4, 3, 3), draws=2)
class TestBlock:
    def test_block(self):
        assert True

@pytest.mark.parity(block="SqueezeExcitation(4, 2)", runtimes=["torch"], shape=(1, 5, 3, 3))
def test_misfit():
    pass
"""
ALONE = ("-p", "attn_core.parity.pytest_plugin", "-p", "no:cacheprovider", "--strict-markers")


@pytest.fixture
def run(pytester: pytest.Pytester):
    """Run the tests of a file; the plugin is loaded once, installed or not."""
    need("torch")

    def run(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess("-p", "no:attn", *ALONE, *options)

    return run


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_fixture(run, workers: tuple[str, ...]):
    result = run(WRONG, "--parity-seed", "3", *workers)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*ParityError: The PyTorch module SE is not SqueezeExcitation(channels=8, reduction=4) in eval, float32, "
            "seed 3; its weights were taken over by its names, which are ours.",
            "*They agree up to reduce and part ways before expand: at relu.",
        ]
    )
    assert "raise ParityError" not in result.stdout.str()  # the traceback ends in the test


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_marker(run, workers: tuple[str, ...]):
    need("nnx")
    result = run(BLOCK, "-rA", *workers)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines_random(
        [
            "PASSED *test_text?torch?",
            "PASSED *test_text?nnx?",
            "PASSED *test_block?torch?",
            "*ShapeError: SqueezeExcitation(channels=4, reduction=2) on *",
            "FAILED *test_misfit?torch? - *",
        ]
    )


def test_missing_runtimes_are_skipped_unless_they_are_required(run):
    hidden = "import sys\nsys.modules['torch'] = None\n"
    source = hidden + BLOCK.partition("@pytest.mark.parity(core")[0]
    run(source, "-k", "torch").assert_outcomes(skipped=1)
    result = run(source, "-k", "torch", "--parity-require", "torch")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["The runtime torch cannot be imported*pip install 'attn-blocks?torch?'"])


def test_a_wrong_runtime_fails(run):
    broken = "import attn_torch.ops as ops, torch\nops.global_mean = lambda x: x.amax((2, 3))\n"
    result = run(broken + BLOCK.partition("@pytest.mark.parity(core")[0], "-k", "torch")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*SqueezeExcitation(channels=4, reduction=2) in torch, eval, float32, seed 0:"])
    assert "global_mean" in result.stdout.str()


def test_without_the_plugin(pytester: pytest.Pytester):
    pytester.makepyfile("def test_nothing(request):\n    assert 'parity' not in request.fixturenames")
    pytester.runpytest_subprocess("-p", "no:attn").assert_outcomes(passed=1)
    listed = pytester.runpytest_subprocess("--markers")  # with it, as the package is installed
    listed.stdout.fnmatch_lines(["@pytest.mark.parity(block=None, runtimes=None, ?*options): *"])
