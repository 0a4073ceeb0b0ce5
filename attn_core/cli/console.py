"""How the commands speak: sentences, tables, progress, and exit codes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

T = TypeVar("T")

FAILED, UNREADABLE = 1, 2

out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn an error that is the input's into one sentence and exit code 2, and warnings of it into sentences."""
    try:
        with told():
            yield
    except OSError as error:
        refuse(f"{error.filename}: {error.strerror}." if error.filename else str(error), UNREADABLE)
    except (ValueError, OverflowError, ImportError) as error:
        refuse(str(error), UNREADABLE)


@contextmanager
def told() -> Iterator[None]:
    """Say what is a warning of the input as errors are said, and leave other warnings as they are."""
    from attn_core.weights.files.errors import UndefinedWarning

    own = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, UndefinedWarning):
            say(f"attn: {message}", err, "yellow")
        else:
            own(message, category, *rest, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UndefinedWarning)
        warnings.showwarning = show  # which is put back, too
        yield


def refuse(sentence: str, code: int) -> NoReturn:
    """End the command with a sentence and an exit code."""
    say(f"attn: {sentence}".replace("\n", " "), err, "red")
    raise typer.Exit(code)


def say(text: str, console: Console = out, style: str | None = None) -> None:
    """Print a text whole; what is in no font, such as a terminal's commands in the name of a variable, is spelt out."""
    console.print(spelt(text), style=style, soft_wrap=True)


def spelt(text: str) -> str:
    """Spell out what the terminal cannot show or would obey."""
    seen = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return seen.encode(out.encoding, "backslashreplace").decode(out.encoding)


def with_progress(steps: Iterable[T], total: int, title: str) -> Iterator[T]:
    """Yield the steps, with a bar on a terminal."""
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        yield from progress.track(steps, total=total, description=title)


def counted(number: int, thing: str = "block") -> str:
    """Return a number of things."""
    return f"{number} {thing}{'s' * (number != 1)}"
