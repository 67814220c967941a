"""Progress of a stage: a progress bar on a terminal, otherwise one line per stage.

It counts the files that appear on disk. Workers may be other processes or machines, and their output is the only
progress that is visible with every runner.
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
def stage_progress(stage: str, output: str, folder: str, expected: int | None):
    """Shows the number of files below `output`/`folder`, of `expected` (None: unknown), and the rows per second."""
    started = time.monotonic()
    if not sys.stderr.isatty():
        yield
        print(f"{stage}: done in {time.monotonic() - started:.1f} s", file=sys.stderr)
        return
    ended = threading.Event()
    layout = None if expected else "{desc} {elapsed}"
    with tqdm(total=expected, desc=f"{stage:<9}", unit=" files", bar_format=layout, file=sys.stderr) as bar:
        thread = threading.Thread(target=watch, args=(bar, f"{output}/{folder}", ended, started), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def watch(bar: tqdm, folder: str, ended: threading.Event, started: float) -> None:
    """Advances the bar for every new file until `ended` is set, and then a last time."""
    seen: set[str] = set()
    rows = 0
    last = False
    while not last:
        last = ended.wait(POLL_S)
        for file in files.list_files(folder) if files.exists(folder) else []:
            if file.name not in seen and file.name.endswith((".parquet", ".json")):
                seen.add(file.name)
                rows += row_count(file.path) if file.name.endswith(".parquet") else 0
                bar.update()
        if rows:
            bar.set_postfix_str(f"{rows / (time.monotonic() - started):,.0f} rows/s", refresh=False)
        bar.refresh()
