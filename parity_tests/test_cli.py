"""The commands `attn list` and `show`, as their user meets them; the help of others."""

from __future__ import annotations

import pytest
from terminal import Attn

import attn_core as core
from attn_core.models.registry import FAMILIES, KNOWN, NAMED


def listed(stdout: str) -> list[list[str]]:
    """Return the cells of the tables' rows."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in stdout.splitlines() if line.startswith("│")]


def test_list(attn: Attn):
    code, stdout, stderr = attn("list", columns=300)
    assert (code, stderr) == (0, "")
    cells = listed(stdout)
    assert [name for name, _, _ in cells] == sorted(KNOWN, key=lambda name: FAMILIES.index(KNOWN[name].family))
    (row,) = (rest for name, *rest in cells if name == "SqueezeExcitation")
    assert row == [", ".join(core.SqueezeExcitation.words), core.SqueezeExcitation.source]
    assert [line.strip() for line in stdout.splitlines() if line.strip() in FAMILIES] == list(FAMILIES)


def test_list_search(attn: Attn):
    """In names, in papers, and in what people say."""
    for words, names in {
        "ema": ["EfficientMultiScaleAttention", "ExpectationMaximizationAttention"],
        "yolov4": ["PointwiseGate"],
        "res2": ["Res2Bottleneck", "Res2Conv"],
    }.items():
        code, stdout, _ = attn("list", "--search", words, columns=300)
        assert (code, [name for name, _, _ in listed(stdout)]) == (0, names)
    for words in ("transformer xl", "---"):  # of the latter no letter is left
        code, stdout, stderr = attn("list", "--search", words)
        assert (code, stdout) == (2, "")
        assert f"Nothing here is called '{words}'" in stderr


def test_show_by_another_name(attn: Attn):
    code, stdout, _ = attn("show", "eca")
    assert (code, stdout.splitlines()[0]) == (0, "EfficientChannelAttention(channels=64, kernel=3)")
    code, stdout, _ = attn("show", "SE(32)")
    assert (code, stdout.splitlines()[0]) == (0, "SqueezeExcitation(channels=32, reduction=16)")
    for word, others in {
        "EMA": "EfficientMultiScaleAttention and ExpectationMaximizationAttention",
        "PSA": "PointwiseSpatialAttention and polarized self-attention",
        "Attention_Block": "AttentionGate and SqueezeExcitation",
    }.items():
        code, _, stderr = attn("show", word, columns=300)
        assert code == 2
        assert f"'{word}' is what people call {others}" in stderr


SHOWN = """\
SqueezeExcitation(channels=64, reduction=16)
Hu, Shen, Sun: Squeeze-and-Excitation Networks. CVPR 2018, arXiv:1709.01507

y = x * sigmoid(expand.weight @ relu(reduce.weight @ mean(x) + reduce.bias) + expand.bias)

┏━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┓
┃ field      ┃ value          ┃
┡━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━┩
│ channels   │ 64             │
│ reduction  │ 16             │
│ hidden     │ None           │
│ bias       │ True           │
│ activation │ 'relu'         │
│ gate       │ 'sigmoid'      │
│ norm       │ False          │
│ momentum   │ without effect │
│ residual   │ False          │
└────────────┴────────────────┘
┏━━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ weights       ┃ shape   ┃ start                             ┃
┡━━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ reduce.weight │ (4, 64) │ normal, std 0.2016, cut at 0.4031 │
│ reduce.bias   │ (4,)    │ 0                                 │
│ expand.weight │ (64, 4) │ normal, std 0.8062, cut at 1.612  │
│ expand.bias   │ (64,)   │ 0                                 │
└───────────────┴─────────┴───────────────────────────────────┘
580 parameters
on 1x64x32x32: 512 multiply-adds, 790,352 bytes moved in float32
"""


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("text", ["SqueezeExcitation", "SqueezeExcitation(64)", " SqueezeExcitation( channels = 64 ) "])
def test_show(attn: Attn, text: str, columns: int):
    assert attn("show", text, columns=columns) == (0, SHOWN, "")


def test_show_cost_of_an_input(attn: Attn):
    """Worked out by hand for 2 samples of 16 channels and 35 pixels, 4 hidden units, no biases.

    Read: the image twice. Written: the product. Vectors of 16, 4, 4, 16 and 16 numbers for each sample, of which
    all but the gate are written and read; the weights.
    """
    code, stdout, _ = attn("show", "SqueezeExcitation(16, 4, bias=False)", "--input", "2,16,7,5")
    vectors = 2 * (16 + 16 + 4 + 4 + 4 + 4 + 16 + 16 + 16 + 16)
    moved = 4 * (3 * 2 * 16 * 35 + vectors + 2 * 64)
    assert code == 0
    assert f"on 2x16x7x5: {2 * 2 * 64} multiply-adds, {moved:,} bytes moved in float32" in stdout


@pytest.mark.parametrize("text", ["2,16", "16", "2,8,7,5"])
def test_show_impossible_input(attn: Attn, text: str):
    code, stdout, stderr = attn("show", "SqueezeExcitation(16, 4)", "--input", text)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("text", ["", "a", "2,0,3", "2x3x4"])
def test_show_no_shape(attn: Attn, text: str):
    code, stdout, stderr = attn("show", "SqueezeExcitation(16, 4)", "--input", text)
    assert (code, stdout) == (2, "")
    assert stderr == f"attn: {text!r} is no shape: give sizes of at least 1, as 8,64,56,56.\n"


@pytest.mark.parametrize("name", NAMED)
def test_show_every_block(attn: Attn, name: str):
    code, stdout, stderr = attn("show", name)
    assert (code, stderr) == (0, "")
    assert "y = " in stdout
    assert "multiply-adds" in stdout


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("sse-net", "No block is called 'sse-net'; "),
        ("", "No block is called ''; "),
        ("SqueezeExcitation(", "'SqueezeExcitation(' configures no block: "),
        ("SqueezeExcitation()", "'SqueezeExcitation()' configures no block: "),
        ("SqueezeExcitation(8, 16)", "SqueezeExcitation(channels=8, reduction=16) leaves no hidden unit: "),
        ("__import__('os').system('x')", '"__import__'),
    ],
)
def test_show_no_block(attn: Attn, text: str, start: str):
    code, stdout, stderr = attn("show", text)
    assert (code, stdout) == (2, "")
    assert stderr.startswith(f"attn: {start}")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["SqueezeExcitation(1" + "0" * 400 + ")", "SqueezeExcitation(x)", "a" + "(" * 9999])
def test_show_nonsense(attn: Attn, text: str):
    code, stdout, stderr = attn("show", text)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("command", ["port", "bench", "show", "list"])
def test_help_fits(attn: Attn, command: str):
    code, stdout, _ = attn(command, "--help")
    assert code == 0
    assert max(map(len, stdout.splitlines())) <= 80
    if command == "port":
        assert "1: a check failed or no block was found; nothing is written." in stdout
