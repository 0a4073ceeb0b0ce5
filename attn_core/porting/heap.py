"""Memory of large arrays goes back to the system when they are freed."""

import ctypes
import sys

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_LARGE = 1 << 18  # bytes


def give_back() -> None:
    """Have glibc keep each large array apart, in this whole process; elsewhere nothing changes.

    By itself it moves arrays of up to 32 MiB to the heap, in whose gaps the next ones do not fit: a third more memory.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, _LARGE)
