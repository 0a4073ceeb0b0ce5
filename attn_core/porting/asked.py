"""What a user asks for in words, on a command line."""

from __future__ import annotations

from collections.abc import Sequence

from attn_core.porting.network.inference import Options


def options(image: str | None, output: str | None, settings: Sequence[str], size: str | None) -> Options:
    """Read a user's words; `settings` are texts such as keep_prob=1, `size` is one such as 224,224."""
    values = dict(_setting(text) for text in settings)
    return Options(image, output, values, _size(size) if size else None)


def _size(text: str) -> tuple[int, ...]:
    numbers = text.split(",")
    is_size = len(numbers) <= 3 and all(n.strip().isdecimal() and int(n) > 0 for n in numbers)
    if not is_size:
        raise ValueError(
            f"{text!r} is no size: give height and width, as 224,224; of signals the length, of volumes three numbers."
        )
    return tuple(map(int, numbers))


def _setting(text: str) -> tuple[str, float | bool]:
    name, _, value = text.partition("=")
    known = {"true": True, "false": False}
    try:
        return name, known[value.lower()] if value.lower() in known else float(value)
    except ValueError:
        raise ValueError(f"{text!r} is no setting: give a placeholder and its value, as keep_prob=1.") from None
