"""Reports as JSON, JUnit XML and HTML: nothing is lost, nothing breaks them, and a fault says what is wrong."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import made_reports as made
import numpy as np
import pytest
from runtimes import need

from attn_core.parity.report import from_json, heatmap, prepare, strip, texts, to_html, to_json, to_junit, write
from attn_core.parity.result import Cell, Report, Subject, Tensor

MADE = [made.passing, made.failing, made.nothing, made.all_missing, made.hostile]
DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(params=MADE, ids=lambda make: make.__name__)
def report(request: pytest.FixtureRequest) -> Report:
    return request.param()


# ---- JSON ------------------------------------------------------------------------------------------------------------


def test_json_gives_back_the_report(report: Report):
    """By their texts: NaN is not equal to itself."""
    text = to_json(report)
    assert repr(from_json(text)) == repr(report)
    assert to_json(from_json(text)) == text


def test_json_is_strict_and_counts():
    content = json.loads(to_json(made.failing()), parse_constant=pytest.fail)
    assert content["format"] == 1
    assert content["counts"] == {"passed": 51, "failed": 1, "error": 2, "left out": 6}
    assert json.loads(to_json(made.hostile()))["cells"][0]["shares"] == ["inf"]


def test_json_takes_numbers_of_numpy_and_what_it_does_not_know():
    tensor = Tensor("output", np.int64(3), np.float32(0.5), 1e-6, (np.int64(1),))
    cell = replace(made.cell("CBAM", "torch", "float32", "eval"), tensors=(tensor,), shares=(np.float64("nan"),))
    odd = replace(made.report([cell]).subjects[0], config={"attention": len, "pools": (1, (2, 3)), "bias": True})
    found = from_json(to_json(replace(made.report([cell]), subjects=(odd,))))
    assert found.cells[0].tensors == (Tensor("output", 3, 0.5, 1e-6, (1,)),)
    assert found.subjects[0].config == {"attention": repr(len), "pools": (1, (2, 3)), "bias": True}


def test_later_fields_are_ignored_and_those_with_a_default_may_lack():
    content = json.loads(to_json(made.failing()))
    del content["missing"], content["cells"][0]["where"]
    content["cells"][0]["new"] = [1]
    assert replace(from_json(json.dumps(content)), missing=made.failing().missing) == made.failing()


def damaged(place: list[object], value: object) -> str:
    """Return the JSON of a report with another value somewhere; ... takes it away."""
    content = json.loads(to_json(made.failing()))
    *way, last = place
    inner = content
    for step in way:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (["format"], ..., "it does not say its format"),
        (["format"], 2, "format 2, known here is 1"),
        (["cells"], ..., "cells is missing"),
        (["cells"], {}, "cells must be a list, got {}"),
        (["cells", 3], None, "cells[3] must be an object, got None"),
        (["cells", 3, "runtime"], ..., "cells[3].runtime is missing"),
        (["cells", 3, "seed"], "x", "cells[3].seed must be a whole number, got 'x'"),
        (["cells", 3, "seed"], True, "cells[3].seed must be a whole number, got True"),
        (["cells", 3, "seed"], 1.5, "cells[3].seed must be a whole number, got 1.5"),
        (
            ["cells", 3, "status"],
            "great",
            "cells[3].status must be one of passed, failed, error, left out, got 'great'",
        ),
        (["cells", 3, "shares", 1], "12", "cells[3].shares[1] must be a number, got '12'"),
        (["cells", 3, "tensors", 0, "index", 0], [], "cells[3].tensors[0].index[0] must be a whole number, got []"),
        (
            ["subjects", 0, "weights", "reduce.weight"],
            [[1]],
            "subjects[0].weights.reduce.weight must hold 2 values, got 1",
        ),
        (["versions", "numpy"], 2, "versions.numpy must be a text, got 2"),
        (["missing"], [], "missing must be an object, got []"),
    ],
)
def test_damaged_json_is_named(place: list[object], value: object, reason: str):
    with pytest.raises(ValueError, match="no report") as caught:
        from_json(damaged(place, value))
    assert str(caught.value).startswith(f"This is no report of attn parity: {reason}")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '{"format": NaN}', "[" * 100_000, b"\xff\xfe\xff", "{}"])
def test_other_text_is_no_report(text: str | bytes):
    with pytest.raises(ValueError, match=r"^This is no report of attn parity: .*\.$"):
        from_json(text)


def test_every_field_is_documented():
    page = (DOCS / "parity_report.md").read_text()
    lacking = {
        f.name for kind in (Report, Cell, Tensor, Subject) for f in fields(kind) if f"| `{f.name}` |" not in page
    }
    assert not lacking


# ---- JUnit -----------------------------------------------------------------------------------------------------------


def cases(report: Report) -> list[ElementTree.Element]:
    """Return the test cases; the counts that CI reads must be those of the cases."""
    need("parity")
    root = ElementTree.fromstring(to_junit(report).encode())
    assert root.tag == "testsuites"
    (suite,) = root
    found = suite.findall("testcase")
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(name)) == len(suite.findall(f"testcase/{tag}"))
    assert int(suite.get("tests")) == len(found) == len(report.cells) + len(report.missing)
    return found


def test_junit_has_a_case_for_each_cell(report: Report):
    kinds = {"passed": None, "failed": "failure", "error": "error", "left out": "skipped"}
    wanted = Counter(kinds[cell.status] for cell in report.cells) + Counter({"skipped": len(report.missing)})
    assert Counter(case[0].tag if len(case) else None for case in cases(report)) == wanted
    keys = [(case.get("classname"), case.get("name")) for case in cases(report)]
    assert len(set(keys)) == len(keys)


def test_junit_says_what_differs():
    found = {(case.get("classname"), case.get("name")): case for case in cases(made.failing())}
    case = found["torch.float32", "CBAM(channels=64, reduction=16, kernel=7) train 1x64x32x32"]
    output = "output[1, 3, 5]: found 0.8126309, wanted 0.8125, bound 3.5e-6, 37 x the bound"
    worst = "grad:spatial.conv.weight[1, 3, 5]: found 0.82685, wanted 0.8125, bound 3.5e-6, 4.1e3 x the bound"
    worst = f"{worst} ({made.LARGE})"
    assert case[0].get("message") == f"{worst}; first at spatial.conv"
    again = 'attn parity --blocks "CBAM(channels=64, reduction=16, kernel=7)" --runtimes torch --dtypes float32'
    again = f"Again: {again} --modes train --shape 1,64,32,32 --seed 7 --draws 12"
    assert case[0].text.splitlines() == [worst, output, "The two part ways first at spatial.conv.", "", again]
    broken = found["keras.bfloat16", "NonLocal(channels=64, hidden=None) eval 1x64x32x32"][0]
    assert (broken.tag, broken.get("message")) == ("error", "ValueError: no kernel for bfloat16")
    left = found["nnx.float32", "GlobalPooling(pools='both') train 1x64x32x32"][0]
    assert (left.tag, left.get("message")) == ("skipped", "nothing in it is different in training")
    assert found["linen", "runtime"][0].get("message") == "No module named 'flax'"


def test_junit_spells_what_xml_cannot_hold():
    case = cases(made.hostile())[0]
    assert case.get("name").startswith("</script></style></pre><script>")
    assert "\\x00 \\x1b[31m \\ud800 \\u202e ü 試 🙂" in case.get("name")


# ---- HTML ------------------------------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """Collects the elements of a page and what they load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs


def test_page_is_one_file_that_runs_its_own_script_only(report: Report):
    need("parity")
    page = Elements(to_html(report))
    assert (page.tags["script"], page.tags["style"], page.tags["img"], page.tags["link"]) == (1, 1, 0, 1)
    named = {name for name, _ in page.attributes}
    assert not {name for name in named if name.startswith("on")} | ({"src", "style", "srcset", "action"} & named)
    assert all(value.startswith(("#", "data:")) for name, value in page.attributes if name == "href")


def test_page_shows_every_cell_and_can_be_written_in_utf8(report: Report):
    need("parity")
    page = Elements(to_html(report))
    to_html(report).encode()
    ids = {value for name, value in page.attributes if name == "id" and value.startswith("cell-")}
    links = {value for name, value in page.attributes if name == "href" and value.startswith("#cell-")}
    assert ids == {f"cell-{number}" for number in range(len(report.cells))}
    assert links == {f"#{each}" for each in ids}


def test_map_shows_the_worst_of_several_seeds():
    first = made.cell("CBAM", "torch", "float32", "eval")
    cells = [replace(made.with_share(first, "eval", share), seed=seed) for seed, share in enumerate((0.1, 7.0, 0.2))]
    assert [row.cells for row in heatmap.rows(made.report(cells))] == [(cells[1],)]


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (made.passing, "All 80 cells agree with the definition"),
        (made.failing, "3 of 54 cells fail"),
        (made.nothing, "Nothing was compared"),
        (made.all_missing, "Nothing was compared"),
    ],
)
def test_headline(make: object, wanted: str):
    assert texts.headline(make()) == wanted
    one = made.report([made.cell("CBAM", "torch", "float32", "eval")])
    assert texts.headline(one) == "The cell agrees with the definition"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0"), (0.123, "0.12"), (1.0, "1"), (1.2e-5, "1.2e-5"), (4100.0, "4.1e3"), (float("inf"), "∞")],
)
def test_shares_are_short(share: float, text: str):
    assert texts.short(share) == text


def test_bars_of_a_distribution():
    """A draw at the bound is within it, whatever its bin; what is off the axis stands at its end."""
    shares = (0.0, 1e-9, 1.0, 1.0001, 1e9, float("inf"))
    assert strip.bars(shares, above=False) == "M0 16v-16h1V16zM31 16v-8h1V16z"
    assert strip.bars(shares, above=True) == "M32 16v-8h1V16zM47 16v-16h1V16z"
    assert strip.told(shares[2:5]) == "3 draws, error / bound from 1 to 1e9, median 1"


# ---- files -----------------------------------------------------------------------------------------------------------


def test_write_all_forms(tmp_path: Path):
    need("parity")
    report = made.failing(1)
    paths = {"json": tmp_path / "r.json", "junit": str(tmp_path / "r.xml"), "html": tmp_path / "r.html"}
    write(report, paths)
    assert from_json((tmp_path / "r.json").read_bytes()) == report
    assert (tmp_path / "r.html").read_text() == to_html(report)
    assert {path.name for path in tmp_path.iterdir()} == {"r.json", "r.xml", "r.html"}


def test_nothing_is_written_if_one_form_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError) as caught:
        write(made.nothing(), {"json": tmp_path / "r.json", "html": tmp_path / "r.html"})
    rule = "reports need it: pip install 'attn-blocks[parity]'."
    assert str(caught.value) == f"import of jinja2 halted; None in sys.modules; {rule}"
    assert not list(tmp_path.iterdir())


def test_refused_before_the_run(tmp_path: Path):
    prepare({"json": tmp_path / "r.json"})
    with pytest.raises(ValueError, match=r"^There is no report as 'pdf'; the forms are json, junit, html\.$"):
        prepare({"pdf": tmp_path / "r"})
    with pytest.raises(IsADirectoryError, match=r"is a folder; give a file for the report\.$"):
        prepare({"json": tmp_path})
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*none\.$"):
        prepare({"json": tmp_path / "none" / "r.json"})
    (tmp_path / "link").symlink_to("r")
    with pytest.raises(ValueError, match=r"^Two reports would be written to one file; give each a file of its own\.$"):
        prepare({"json": tmp_path / "r", "html": tmp_path / "link"})
