"""docs/dialects.md: its tables are those of the code, and its examples run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from runtimes import need

from attn_core import dialects

PAGE = Path(__file__).parent.parent / "docs" / "dialects.md"


def tables() -> str:
    """Return both tables as the page has them: `python parity_tests/test_dialects_page.py` writes them there."""
    lines = ["| dialect | block here | what to know | taken from | proven by |", "| --- | --- | --- | --- | --- |"]
    for name in dialects.names():
        dialect = dialects.get(name)
        proof = ", ".join(dialect.proven) or "published definition only"
        lines.append(f"| `{name}` | `{dialect.block.__name__}` | {dialect.differs} | {dialect.definition} | {proof} |")
    lines += ["", "| refused | nearest block | why | taken from |", "| --- | --- | --- | --- |"]
    for each in dialects.refused():
        lines.append(f"| `{each.name}` | `{each.near}` | {each.because} | {each.definition} |")
    return "\n".join(lines) + "\n"


def with_tables(page: str) -> str:
    """Return the page with both tables as they should be."""
    first, last = page.index("| dialect |"), page.rindex("\n|")
    return page[:first] + tables() + page[page.index("\n", last + 1) + 1 :]


def test_tables():
    assert tables() in PAGE.read_text()


def test_tables_are_written_where_they_belong():
    page = PAGE.read_text()
    assert with_tables(page) == page
    assert with_tables(page.replace("| `timm.SEModule` |", "| `timm.OldName` |")) == page
    assert with_tables(page.replace("| refused |", "| dialect no more |")) == page


def test_examples_run_one_after_the_other(tmp_path: Path):
    need("torch")
    page = PAGE.read_text()
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{example}\n{done.stderr}"
    (command,) = re.findall(r"```sh\nattn (.*?)\n```", page, re.DOTALL)
    program = "from attn_core.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *command.split()], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["official.pth", "timm.safetensors"]


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
