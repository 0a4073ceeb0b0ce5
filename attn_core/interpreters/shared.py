"""A setting of the whole process that several contexts want, in whatever order they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock


class Shared:
    """Enters a context for the first who wants it, and leaves it after the last."""

    def __init__(self, make: Callable[[], AbstractContextManager[object]]) -> None:
        self._make = make
        self._lock = Lock()
        self._users = 0
        self._context: AbstractContextManager[object]

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """Want the setting."""
        with self._lock:
            if not self._users:
                self._context = self._make()
                self._context.__enter__()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._context.__exit__(None, None, None)
