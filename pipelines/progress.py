"""Shards that appear on disk → a progress bar on a terminal, one quiet line a stage elsewhere.

Workers may be other processes or machines: what they have written is the one thing that every runner lets us see.
"""

import sys
import threading
import time
from contextlib import contextmanager

from tqdm import tqdm

from transforms import files
from transforms.shards import row_count

POLL_S = 0.5


@contextmanager
def stage_progress(stage: str, output: str, folder: str, shards: int | None):
    """Shows shards written below `output`/`folder` of the expected number (None: unknown), and rows a second."""
    started = time.monotonic()
    if not sys.stderr.isatty():
        yield
        print(f"{stage}: done in {time.monotonic() - started:.1f} s", file=sys.stderr)
        return
    done = threading.Event()
    with tqdm(total=shards, desc=f"{stage:<9}", unit=" shard", leave=True, file=sys.stderr) as bar:
        thread = threading.Thread(target=_poll, args=(bar, f"{output}/{folder}", done, started), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _poll(bar: tqdm, folder: str, done: threading.Event, started: float) -> None:
    seen: set[str] = set()
    rows = 0
    ended = False
    while not ended:
        ended = done.wait(POLL_S)
        listed = files.list_files(folder) if files.exists(folder) else []
        for file in listed:
            if file.name.endswith(".parquet") and file.name not in seen:
                seen.add(file.name)
                rows += row_count(file.path)
                bar.update()
        bar.set_postfix_str(f"{rows / (time.monotonic() - started):,.0f} rows/s")
