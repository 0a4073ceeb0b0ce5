"""The command `attn bench`, as its user meets it. Times themselves are never asserted."""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from terminal import Attn

import attn_core as core
from attn_core.parity.bench.asked import FORWARD, Trial
from attn_core.parity.bench.contest import COMPILED, COPY, EAGER, OURS, Entrant, Memory


class Made:
    """A framework whose times are known; its peer takes twice as long."""

    processor, ways = "made", (EAGER, COMPILED)

    def __init__(self, wrong: float = 0.0) -> None:
        self.wrong = wrong

    def ours(self, trial: Trial, drawn: Any) -> str:
        return OURS

    def plain(self, trial: Trial, drawn: Any) -> str | None:
        return "plain" if isinstance(trial.block, core.SqueezeExcitation) else None

    def named(self, package: str, trial: Trial) -> None:
        return None

    def output(self, layer: str, drawn: Any, trial: Trial) -> Any:
        return core.evaluate(trial.block, drawn.weights, drawn.given) + self.wrong

    def entrant(self, name: str, layer: str, way: str, trial: Trial, drawn: Any) -> Entrant:
        factor = {OURS: 1, "plain": 2}[name] / (1 + (way == COMPILED))
        return Entrant(name, way, lambda calls: 0.123456 * factor, Memory(4 * 2 * 16 * 4 * 6, None))

    def copy(self, trial: Trial, drawn: Any) -> Entrant:
        return Entrant(COPY, EAGER, lambda calls: 0.1)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Stand the made framework in place of any; returns what it is asked for."""
    from attn_core.cli import bench

    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(bench, "stand", lambda *given: seen.append(given) or Made())
    return seen


def test_tables(attn: Attn, made: list[tuple[Any, ...]]):
    options = ("--shape", "2,16,4,6", "--threads", 2, "--rounds", 4, "--backward", "--compile")
    code, stdout, stderr = attn("bench", "SE", "ECA", "--against", "plain,timm", *options)
    assert (code, stderr) == (0, "")
    assert made == [("torch", "cpu", 2)]
    assert "SqueezeExcitation(channels=16, reduction=16)\non 2x16x4x6, float32, forward\n" in stdout
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in stdout.splitlines() if line[:1] == "│"]
    assert rows[0] == ["ours", "123,456", "", "", "1.2", "1.00", ""]
    assert rows[1] == ["plain", "246,912", "0.50", "0.50 to 0.50", "2.5", "1.00", ""]
    assert rows[3] == ["plain, compiled", "123,456", "0.50", "0.50 to 0.50", "1.2", "1.00", ""]
    assert "note: timm has no layer for SqueezeExcitation(channels=16, reduction=16)" in stdout
    assert "note: Nobody here has written out EfficientChannelAttention" in stdout
    assert max(map(len, stdout.splitlines())) <= 120


def test_json(attn: Attn, made: list[tuple[Any, ...]]):
    code, stdout, stderr = attn("bench", "SE", "--shape", "2,16,4,6", "--rounds", 5, "--dtype", "float64", "--json")
    assert (code, stderr) == (0, "")
    found = json.loads(stdout)
    assert {
        "date",
        "device",
        "device_name",
        "processor",
        "system",
        "runtime",
        "threads",
        "rounds",
        "malloc",
        "versions",
    } == set(found["circumstances"])
    (one,) = found["contests"]
    assert (one["block"], one["dtype"], one["pass"]) == (
        "SqueezeExcitation(channels=16, reduction=16)",
        "float64",
        FORWARD,
    )
    assert one["image_bytes"] == 8 * 2 * 16 * 4 * 6
    assert [each["name"] for each in one["timed"]] == [OURS, "plain", COPY]
    assert one["ratios"][0]["ratio"] == {"median": 0.5, "low": 0.5, "high": 0.5}
    assert one["check"] is None


@pytest.mark.parametrize("wrong", [0.0, 1e-3])
def test_what_is_wrong_is_not_merely_fast(attn: Attn, monkeypatch: pytest.MonkeyPatch, wrong: float):
    from attn_core.cli import bench

    monkeypatch.setattr(bench, "stand", lambda *given: Made(wrong))
    code, stdout, stderr = attn("bench", "SE", "--shape", "2,16,4,6", "--rounds", 4, "--json", "--check", columns=200)
    (one,) = json.loads(stdout)["contests"]
    assert code == bool(wrong)
    assert one["check"]["passed"] == (not wrong)
    assert one["check"]["shapes"] == [[1, 16, 4, 6]]
    assert ("beyond what rounding explains: SqueezeExcitation(channels=16" in stderr) == bool(wrong)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sse-net"], "No block is called 'sse-net'; "),
        (["SE", "--against", "tim"], "'tim' is no peer: give plain, timm, torchvision, or module:Class"),
        (["SE", "--shape", "2,64"], "(2, 64) is no image: give batch, channels and pixels, as 8,256,56,56."),
        (["CBAM(64)", "--shape", "2,32,8,8"], "CBAM(channels=64, reduction=16, kernel=7) on [(2, 32, 8, 8)]: "),
        (["SE", "--dtype", "float8"], "There is no dtype 'float8'; there are "),
        (["SE", "--runtime", "jx"], "There is no runtime 'jx' to time; there are torch, keras-tensorflow, "),
    ],
)
def test_refused_before_a_framework_is_imported(attn: Attn, made: list[Any], arguments: list[str], sentence: str):
    code, stdout, stderr = attn("bench", *arguments, columns=500)
    assert (code, stdout, made) == (2, "", [])
    assert stderr.startswith(f"attn: {sentence}")
    assert stderr.count("\n") == 1


def test_without_torch(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "attn_torch.bench", None)
    reason = "The runtime torch cannot be imported (import of attn_torch.bench halted; None in sys.modules)."
    assert attn("bench") == (2, "", f"attn: {reason} Install it: pip install 'attn-blocks[torch]'\n")


def test_help_says_what_is_measured(attn: Attn):
    code, stdout, _ = attn("bench", "--help")
    assert code == 0
    assert "of our time divided by the peer's: 1.05 means 5 % slower." in stdout


# ---- the page --------------------------------------------------------------------------------------------------------


def rows(page: str) -> list[list[str]]:
    """Return the cells of a page's tables, without their headings."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "block" and not row[0].startswith("---")]


def test_page(attn: Attn, made: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch):
    """A second run of the same framework and device replaces its section alone, with the picture beside the page."""
    sizes = ("--shape", "2,16,4,6", "--shape", "2,16,8,6")
    options = ("--rounds", 4, "--check", "--page", "page.md")
    arguments = ["attn", "bench", "SE", "ECA", *map(str, (*sizes, *options))]
    monkeypatch.setattr(sys, "argv", arguments)
    Path("page.md").write_text("# Mine\n\nProse.\n\n## torch on cpu\n\nold\n\n## On a GPU\n\nkept\n")
    assert attn(*arguments[1:])[0] == 0
    page = Path("page.md").read_text()
    assert page.startswith("# Mine\n\nProse.\n\n## torch on cpu\n\n```sh\nattn bench SE ECA --shape 2,16,4,6")
    assert page.endswith("\n## On a GPU\n\nkept\n")
    assert "old" not in page
    found = rows(page)
    assert {len(row) for row in found} == {11}
    names = ["`SqueezeExcitation(channels=16, reduction=16)`", "2x16x4x6", "float32", FORWARD, OURS]
    assert found[0] == [*names, "123,456", "", "", "1.2", "1.00", ""]
    assert found[1] == ["", "", "", "", "plain", "246,912", "0.50", "0.50 to 0.50", "2.5", "1.00", ""]
    assert "![time against the size of the image](page_torch_on_cpu.svg)" in page
    assert "Checked: our output of `SqueezeExcitation(channels=16, reduction=16)` in float32 is within 0.00" in page
    picture = ElementTree.fromstring(Path("page_torch_on_cpu.svg").read_text())
    named = {each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {"SqueezeExcitation", "EfficientChannelAttention", COPY, f"{FORWARD}, float32"} <= named
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}polyline"))) == 3
    again = attn("bench", "SE", "--shape", "2,16,4,6", "--runtime", "nnx", "--rounds", 4, "--page", "page.md")
    assert again[0] == 0
    assert Path("page.md").read_text().startswith(page)
    assert "## nnx on cpu" in Path("page.md").read_text()


def test_places_of_a_picture():
    """Ten times as much is as far everywhere."""
    from attn_core.parity.bench.plot import HEIGHT, log_log

    picture = ElementTree.fromstring(log_log({"a": {10: 0.1, 100: 1, 1000: 10}}, "a < b", "x", "y"))
    (line,) = picture.iter("{http://www.w3.org/2000/svg}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
    assert steps[0] == pytest.approx(steps[1])
    assert steps[0][0] > 0 > steps[0][1]
    assert all(0 < y < HEIGHT for _, y in points)


def test_the_page_of_the_project():
    """Its tables can be read, its sections say where and when, and its commands are those that made them."""
    page = (Path(__file__).parent.parent / "docs" / "performance.md").read_text()
    assert {len(row) for row in rows(page)} == {11}
    sections = page.split("\n## ")[1:]
    measured = [section for section in sections if "| block |" in section]
    assert len(measured) >= 3
    for section in measured:
        title, _, rest = section.partition("\n")
        runtime, device = title.split(" on ")
        assert "--page docs/performance.md\n```\n\n20" in rest
        assert (f"--runtime {runtime}" in rest) == (runtime != "torch")
        assert (f"--device {device}" in rest) == (device != "cpu")
        assert re.search(r"\d thread.*, \d+ rounds;\nPython 3", rest)
