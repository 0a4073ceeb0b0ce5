"""What the pages say is there: links, files, doors, names of articles, numbers of axes, commands, ways to install."""

from __future__ import annotations

import pkgutil
import re
import shlex
from pathlib import Path

import pytest
import typer
from blocks import MODULES
from house import DOORS

from attn_core import dialects
from attn_core.blocks import BLOCKS
from attn_core.parity.subjects import chosen

ROOT = Path(__file__).parent.parent
PATHS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = {str(path.relative_to(ROOT)): path.read_text() for path in PATHS}
SOURCES = [path for package in ROOT.glob("attn_*") for path in sorted(package.rglob("*.py"))]
TEXTS = [*PAGES.values(), *(path.read_text() for path in SOURCES)]
SHORT = re.findall(r"^\| the ([\w-]+ article|survey) \| 00\d \|", PAGES["docs/articles.md"], re.MULTILINE)


def outside_of_code(page: str) -> str:
    return re.sub(r"```.*?```", "", page, flags=re.DOTALL)


def anchors(page: str) -> set[str]:
    """Return what links to the headings of a page are called."""
    titles = re.findall(r"^#+ (.*)$", outside_of_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str):
    for link in re.findall(r"\]\((?!http)([^)]+)\)", outside_of_code(PAGES[page])):
        place, _, anchor = link.partition("#")
        target = (ROOT / page).parent / place if place else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


@pytest.mark.parametrize("page", PAGES)
def test_files_are_there(page: str):
    """`name.py` stands for the file of any block."""
    for path in re.findall(r"`((?:attn_\w+|parity_tests|docs)/[\w/.]+)`", PAGES[page]):
        assert (ROOT / path.replace("/name.py", "/squeeze_excitation.py")).exists(), path


def test_names_of_the_core_are_there():
    """Those of pages and docstrings: modules, and what is in them."""
    names = {name for text in TEXTS for name in re.findall(r"`(attn_core(?:\.\w+)+)", text)}
    assert len(names) > 10
    for name in names:
        pkgutil.resolve_name(name)


def test_design_shows_every_door():
    (tree,) = re.findall(r"```\nattn_core/\n(.*?)```", PAGES["docs/design.md"], re.DOTALL)
    doors = re.findall(r"^  (\w+)/ ", tree, re.MULTILINE)
    assert tuple(doors) == DOORS
    assert re.findall(r"^- \*\*`(\w+)`\*\* ", PAGES["docs/design.md"], re.MULTILINE) == doors


def test_articles_have_names():
    """Nobody has to know what seed 003 is."""
    assert SHORT == ["TensorFlow article", "CBAM article", "survey", "HybridSN article", "SA-Net article"]
    assert [found for text in TEXTS for found in re.findall(r"[Ss]eeds? 00\d", text)] == []
    for name in dialects.names():
        if name.startswith("seeds."):
            assert any(short.removesuffix(" article") in dialects.get(name).definition for short in SHORT)


def test_blocks_work_on_every_number_of_axes():
    """The README's exceptions are the blocks whose cases, which run in every runtime, leave a number out."""
    ranks = {module.BLOCK.__name__: {len(case.shape) - 2 for case in module.CASES.values()} for module in MODULES}
    assert set(ranks) >= set(BLOCKS)
    few = {name: ranks[name] for name in BLOCKS if ranks[name] != {1, 2, 3}}
    (said,) = re.findall(r"Every block works on 1-D, 2-D and 3-D images.*?: (`.*`)\.\n", PAGES["README.md"])
    assert few == {name: {2, 3} for name in re.findall(r"`(\w+)`", said)}


def commands(page: str) -> list[str]:
    """Return the whole commands `attn` of a page, without the folders that some stand in."""
    code = [*re.findall(r"```(?:sh|yaml)\n(.*?)```", page, re.DOTALL)]
    lines = "\n".join(code).replace("\\\n", " ").replace("run: >-", "").splitlines()
    found = [line.partition("  #")[0].strip() for line in lines]
    return [line for line in found if line.startswith("attn ")]


WHOLE = [(page, command) for page, text in PAGES.items() for command in commands(text)]


@pytest.mark.parametrize(("page", "command"), WHOLE)
def test_commands_are_understood(page: str, command: str):
    """Arguments are read as the command reads them, and blocks are found; nothing is run."""
    from attn_core.cli.main import main

    name, *arguments = shlex.split(re.sub(r"\$\{\{.*?\}\}|\$\{SEED:-0\}", "1", command))[1:]
    group = typer.main.get_command(main)
    context = group.commands[name].make_context(name, arguments)
    if name == "parity":
        assert chosen(context.params["blocks"] or ["all"])


def test_nobody_is_told_to_install_from_an_index():
    """It is not published: a folder or an address follows."""
    installs = [line for page in PAGES.values() for line in page.splitlines() if "pip install" in line]
    own = [line for line in installs if "attn-blocks" in line]
    assert len(installs) > 5
    assert [line for line in own if " @ git+https://YOUR-HOST/" not in line] == []
