"""The windows of a shard of clean/ → the documents whose windows are not as the clean stage cuts them."""

from collections import defaultdict

import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import table_to_examples
from schemas.example_id import ExampleId
from transforms.clean import repair
from transforms.shards import read_batches
from validation.document_windows import is_torn

ROWS_PER_TABLE = 5_000
WINDOW_ID = "/[0-9]+/[0-9]+$"


def torn_documents(output: str, path: str, max_chars: int) -> list[str]:
    """The ids of these documents, sorted. `path`: of the shard. Of examples/ only the documents that were cut are
    repaired again.
    """
    ids = read_batches(f"{output}/{path}", ROWS_PER_TABLE, ["id"])
    if not any(pc.any(pc.match_substring_regex(table["id"], WINDOW_ID)).as_py() for table in ids):
        return []  # without reading the texts
    windows: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for table in read_batches(f"{output}/{path}", ROWS_PER_TABLE, ["id", "text"]):
        rows = table.filter(pc.match_substring_regex(table["id"], WINDOW_ID))
        for id_, text in zip(rows["id"].to_pylist(), rows["text"].to_pylist(), strict=True):
            window = ExampleId.match(id_)
            if window is not None and window.window is not None:  # another rule checks the ids
                windows[f"{window.prefix}/{window.number}"].append((window.window, text))
    torn, cut = set(windows), pa.array(list(windows), pa.string())
    for table in read_batches(f"{output}/{path.replace('clean/', 'examples/', 1)}", ROWS_PER_TABLE):
        for document in table_to_examples(table.filter(pc.is_in(table["id"], cut))):
            if not is_torn(repair(document).text, windows[document.id], max_chars):
                torn.discard(document.id)
    return sorted(torn)
