"""The build of the bundled samples has the digests in `golden/samples.json`: no row changes unnoticed.

`python -m pytest tests/test_golden.py --update-golden` rewrites them; commit that with the reason for the change.
"""

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq

GOLDEN = Path(__file__).parent / "golden" / "samples.json"


def row_digests(build: Path) -> dict[str, dict[str, object]]:
    """`source key/task/split` → the number of rows and the SHA-256 over them: a JSON list per row, one per line."""
    digests: dict[str, list] = {}
    for path in sorted(build.glob("data/*/*.parquet")):
        for row in pq.read_table(path).to_pylist():
            key = row["example_id"].rpartition(f"/{row['split']}/")[0]
            entry = digests.setdefault(f"{key}/{row['task']}/{row['split']}", [0, hashlib.sha256()])
            entry[0] += 1
            entry[1].update(json.dumps(list(row.values()), ensure_ascii=False).encode() + b"\n")
    return {at: {"rows": rows, "sha256": digest.hexdigest()} for at, (rows, digest) in sorted(digests.items())}


def file_digests(build: Path, folder: str) -> dict[str, str]:
    """Path below the folder → SHA-256 of its label sets or dictionaries; hidden files and the manifest are not rows."""
    paths = sorted(path for path in (build / folder).rglob("*.json") if path.parent != build / folder)
    return {
        path.relative_to(build / folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def test_rows_label_sets_and_dictionaries_are_unchanged(built, request):
    digests = {
        "rows": row_digests(built),
        "labels": file_digests(built, "labels"),
        "hard_negatives": file_digests(built, "hard_negatives"),
    }
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(json.dumps(digests, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for kind, expected in golden.items():
        assert digests[kind].keys() == expected.keys(), kind
        changed = [name for name in expected if digests[kind][name] != expected[name]]
        assert not changed, f"{kind} changed: {changed}; if that is intended, run with --update-golden"
