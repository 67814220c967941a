"""Settings of the memory allocators for runs that shuffle large buffers through Beam's many threads.

glibc's malloc and Arrow's own allocator keep freed memory for each thread, which adds up to several times of what is in
use. With these settings large buffers are returned to the system when they are freed (see mallopt(3)).
"""

import ctypes
import os
import sys

MAX_ARENAS = 2
RETURNED = 1 << 20
"""Bytes: a larger buffer is returned as soon as it is freed."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Names in malloc.h."""

ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": str(MAX_ARENAS),
    "MALLOC_MMAP_THRESHOLD_": str(RETURNED),
    "MALLOC_TRIM_THRESHOLD_": str(RETURNED),
}


def return_freed_memory() -> None:
    """Sets the allocators of this process, and of processes that it starts later. Variables of the environment that are
    set already keep their values there. Call it before pyarrow is imported.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):  # musl has none
            library.mallopt(M_ARENA_MAX, MAX_ARENAS)
            library.mallopt(M_MMAP_THRESHOLD, RETURNED)
            library.mallopt(M_TRIM_THRESHOLD, RETURNED)
