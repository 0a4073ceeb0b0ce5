"""The HTML report in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import made_reports as made
import pytest
from browser import Page, chromium
from runtimes import need

from attn_core.parity.report import texts, to_html
from attn_core.parity.result import Report

MADE = [made.passing, made.failing, made.nothing, made.all_missing, made.hostile]
SPOILT = '.map td[data-runtime="torch"][data-dtype="float32"][data-mode="train"][data-status="failed"] a'
# Contrast of each text with what is behind it, as WCAG 2 has it; the least ones first.
CONTRAST = """(() => {
  const numbers = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = (text) => numbers(text).slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    const colour = getComputedStyle(e).backgroundColor;
    return numbers(colour)[3] === 0 ? behind(e.parentElement) : colour;
  };
  const texts = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && !e.closest("svg, script")
    && [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return texts.map((e) => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.outerHTML.slice(0, 80)];
  }).sort((x, y) => x[0] - y[0]);
})()"""

Open = Callable[[Report], Page]


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    need("parity")
    with chromium() as started:
        yield started


@pytest.fixture
def page(driver: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a report; the page must have been quiet in the end, and asked for nothing but itself."""
    opened: list[Page] = []

    def open_report(report: Report) -> Page:
        path = tmp_path / "report ü.html"
        path.write_text(to_html(report))
        opened.append(Page(driver, path))
        return opened[-1]

    yield open_report
    assert driver.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert {url.partition("#")[0] for url in asked} - {"data:,"} == {opened[-1].path.as_uri()}


@pytest.fixture
def failing(page: Open) -> Page:
    return page(made.failing())


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_every_report_loads(page: Open, make: Callable[[], Report]):
    shown = page(make())
    assert shown.driver.title == f"{texts.headline(make())} - attn parity"
    assert len(shown.seen(".map td[data-status]")) == len(make().cells)


def test_failing_cell_stands_first(failing: Page):
    """The page's first link to a cell is the worst failure, above the map and within the first screen."""
    wanted = [f"#cell-{made.failing().cells.index(cell)}" for cell in made.failing().failures]
    assert failing.values('a[href^="#cell-"]', "href")[0] == wanted[0]
    assert failing.values(".failure h3 a", "href") == wanted
    top = "document.querySelector(arguments[0]).getBoundingClientRect().top"
    assert failing.run(top, ".failure h3") < min(900, failing.run(top, "#map"))
    failing.resize(390, 844)
    assert failing.run(top, ".failure h3") < 844


@pytest.mark.parametrize(
    ("choices", "fragment", "fits"),
    [
        (["torch"], "#runtime=torch", lambda cell: cell.runtime == "torch"),
        (["torch", "nnx"], "#runtime=torch&runtime=nnx", lambda cell: cell.runtime in ("torch", "nnx")),
        (["float32", "train"], "#dtype=float32&mode=train", lambda c: (c.dtype, c.mode) == ("float32", "train")),
        (["left out"], "#status=left+out", lambda cell: cell.status == "left out"),
        (["keras", "error"], "#runtime=keras&status=error", lambda cell: cell.status == "error"),
        (["torch", "error"], "#runtime=torch&status=error", lambda cell: False),
    ],
)
def test_filters(failing: Page, choices: list[str], fragment: str, fits: Callable[[Any], bool]):
    for choice in choices:
        failing.click(f'.filters input[value="{choice}"]')
    assert failing.fragment == fragment
    check_filtered(failing, fits)
    failing.open(fragment)
    check_filtered(failing, fits)
    assert failing.values(".filters input:checked", "value") == choices
    failing.click("#everything")
    assert failing.fragment == ""
    check_filtered(failing, lambda cell: True)


def check_filtered(shown: Page, fits: Callable[[Any], bool]) -> None:
    """Map and blocks must show just these cells, each in its column, and all failures still."""
    wanted = [number for number, cell in enumerate(made.failing().cells) if fits(cell)]
    links = shown.values(".map td[data-status] a", "href")
    assert sorted(int(link.removeprefix("#cell-")) for link in links) == wanted
    assert shown.values("details.cell", "id") == [f"cell-{number}" for number in wanted]
    assert shown.run("document.getElementById('found').value").startswith(f"{len(wanted)} ")
    assert len(shown.seen(".failure")) == 3
    widths = [sum(map(int, shown.values(f".map th{kind}", "colspan"))) for kind in HEADS]
    assert len(set(widths)) == 1


HEADS = ["[data-runtime][colspan]:not([data-dtype])", "[data-dtype]:not([data-mode])", "[data-mode]"]


def test_search_for_a_block(failing: Page):
    failing.driver.find_element("name", "block").send_keys("cbam KERNEL=7")
    assert failing.fragment == "#block=cbam+KERNEL%3D7"
    check_filtered(failing, lambda cell: cell.block == "CBAM")
    assert len(failing.seen(".map tbody tr")) == len(failing.seen(".block")) == 1


@pytest.mark.parametrize(
    ("words", "blocks"),
    [
        ("1x128x32", {"ShuffleAttention"}),
        ("x128x32x32", {"ShuffleAttention"}),
        ("GROUPS=64", {"ShuffleAttention"}),
        ("+1x64x32+both", {"GlobalPooling"}),
        ("reduction=16", {"SqueezeExcitation", "CBAM"}),
        ("1x64x32x32+shuffle", set()),
    ],
)
def test_search_in_a_link(failing: Page, words: str, blocks: set[str]):
    """Each word is a part of a name, a field or a shape, in any order and case; all must fit."""
    failing.open(f"#block={words}")
    check_filtered(failing, lambda cell: cell.block in blocks)


def test_cell_of_the_map_leads_to_its_details(failing: Page):
    failing.click('.filters input[value="torch"]')
    failing.click(SPOILT)
    number = next(i for i, cell in enumerate(made.failing().cells) if cell.status == "failed")
    assert failing.fragment == f"#runtime=torch&cell={number}"
    (inside,) = failing.seen(".cell .inside")
    assert inside.text.startswith("The two part ways first at spatial.conv.")
    assert made.LARGE in inside.text
    assert made.failing().cells[number].command in inside.text.replace("\n", " ")
    box = failing.run("arguments[0].getBoundingClientRect().top", inside)
    assert 0 < box < 900
    failing.driver.back()
    assert failing.fragment == "#runtime=torch"
    failing.open(f"#cell-{number}")
    assert len(failing.seen(".cell .inside")) == 1


def test_failure_leads_to_its_cell_also_where_filters_hide_it(failing: Page):
    failing.open("#runtime=nnx")
    failing.click(".failure a")
    assert failing.fragment == f"#cell={made.failing().cells.index(made.failing().failures[0])}"
    (inside,) = failing.seen(".cell .inside")
    assert inside.text.startswith("ValueError: no kernel for bfloat16")


def test_keyboard_alone(failing: Page):
    from selenium.webdriver.common.keys import Keys

    failing.driver.find_element("tag name", "body").send_keys(Keys.TAB)
    assert failing.driver.switch_to.active_element.text == "Skip to the blocks"
    failing.run("document.querySelector('.filters input[value=nnx]').focus()")
    failing.driver.switch_to.active_element.send_keys(Keys.SPACE)
    assert failing.fragment == "#runtime=nnx"
    failing.run("document.querySelector('.map td:not([hidden]) a').focus()")
    failing.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert failing.run("document.activeElement.localName") == "summary"
    failing.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert not failing.seen(".cell .inside")


def test_copy_of_the_command(failing: Page):
    grant = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    failing.driver.execute_cdp_cmd("Browser.grantPermissions", grant)
    # The button says it for two seconds, which a busy machine may spend before it is looked at.
    button = "document.querySelector('.failure .copy')"
    noted = f"new MutationObserver(() => said.push({button}.textContent)).observe({button}, {{childList: true}})"
    failing.run("window.said = []")
    failing.run(noted)
    failing.click(".failure .copy")
    read = "navigator.clipboard.readText().then(arguments[arguments.length - 1])"
    assert failing.driver.execute_async_script(read) == made.failing().failures[0].command
    assert failing.awaited("said[0]") == "Copied"


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_phone_never_scrolls_sideways(page: Open, make: Callable[[], Report]):
    shown = page(make())
    shown.resize(390, 844)
    shown.run("document.querySelectorAll('details').forEach((e) => (e.open = true))")
    assert shown.run("document.documentElement.scrollWidth") <= 390
    assert shown.run("innerWidth") == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_schemes_can_be_read(failing: Page, scheme: str):
    failing.scheme(scheme)
    failing.run("document.querySelectorAll('details').forEach((e) => (e.open = true))")
    dark = failing.run("getComputedStyle(document.documentElement).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    least, where = failing.run(CONTRAST)[0]
    assert least >= 4.5, where


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_the_map_can_be_read(page: Open, scheme: str):
    shares = (0.0005, 0.005, 0.02, 0.05, 0.2, 1.0, 5.0, 500.0, 1e6)
    first = made.cell("CBAM", "torch", "float32", "eval")
    cells = [made.with_share(first, f"draw{number}", share) for number, share in enumerate(shares)]
    shown = page(made.report(cells))
    shown.scheme(scheme)
    assert shown.values(".map td", "class") == ["p0", "p1", "p2", "p3", "p4", "p5", "f0", "f1", "f2"]
    least, where = shown.run(CONTRAST)[0]
    assert least >= 4.5, where


def test_print_is_light_and_has_no_buttons(failing: Page):
    failing.scheme("dark", "print")
    assert failing.run("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert not failing.seen("button, .filters")
    assert len(failing.seen(".map td[data-status]")) == len(made.failing().cells)
