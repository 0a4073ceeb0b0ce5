"""Write what a block needs besides its file in `attn_core/blocks`, or say what differs from what it should be.

From the block's fields and docstring: its native classes, its lines in the lists of all packages, and a file for its
cases. What is there already and differs is shown, and stays unless `--force` is given; a native file that says
`# By hand: <reason>` in its first lines stays always, and so does a file of cases.
"""

from __future__ import annotations

import argparse
import sys
from difflib import get_close_matches
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this tree, whichever is installed

from scaffold.described import Described, DescriptionError, described
from scaffold.files import ROOT, difference, every_block, files_of


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 1 if something differs and stays so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a file of attn_core/blocks, as cbam; without: all")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--force", action="store_true", help="also write over native files that differ")
    given = parser.parse_args(arguments)
    try:
        files = files_of([_block(name) for name in given.names] or every_block())
    except DescriptionError as error:
        parser.error(str(error))
    left = [path for path, text in files.items() if not _settled(path, text, given.check, given.force)]
    print(f"{len(files)} files, {len(left)} of them not as they should be.")
    return 1 if left else 0


def _block(name: str) -> Described:
    for folder in ("blocks", "models"):
        if (ROOT / "attn_core" / folder / f"{name}.py").exists():
            return described(name, folder)
    known = [block.file for block in every_block()]
    nearest = ", ".join(get_close_matches(name, known) or known)
    raise DescriptionError(f"There is no attn_core/blocks/{name}.py; write it first, or did you mean: {nearest}?")


def _settled(path: Path, text: str, check: bool, force: bool) -> bool:
    """Write a file where that may be done; say whether it is as it should be now."""
    found, name = difference(path, text), path.relative_to(ROOT)
    if not found:
        return True
    replaceable = force or not path.exists() or path.name == "__init__.py"  # to which only a line is added
    if check or not replaceable:
        print(found, f"{name} differs." if check else f"{name} differs and stays: --force writes over it.", sep="")
        return False
    path.write_text(text)
    print(f"wrote {name}")
    return True


if __name__ == "__main__":
    sys.exit(main())
