"""The most memory that a process and its children hold together, read twice a second."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def watch_memory() -> Iterator[list[int]]:
    """Watch while the block runs; what is yielded holds the most so far, in bytes resident."""
    import psutil

    most, stop = [0], threading.Event()

    def watch() -> None:
        this = psutil.Process()
        while not stop.wait(0.5):
            total = this.memory_info().rss
            for child in this.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.Error:
                    continue
            most[0] = max(most[0], total)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()
