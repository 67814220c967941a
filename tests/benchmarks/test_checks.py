"""The benchmark of the checks, on a small build."""

import pytest

from benchmarks import checks
from tests.conftest import build_here
from tests.unified import NER_SCHEMA, ner, write_source


def test_a_build_without_a_shard_of_one_source_is_refused(tmp_path):
    for name, city in (("a", "Rome"), ("b", "Oslo")):
        write_source(tmp_path / "raw" / name, "NER", NER_SCHEMA, train=[ner(f"Ada went to {city}.", person="Ada")])
    flags = ("--data_root", str(tmp_path / "raw"), "--output", str(tmp_path / "build"), "--hard_negatives", "none")
    done = build_here(*flags)
    assert done.returncode == 0, done.stderr
    with pytest.raises(SystemExit, match=r"every shard of instructions has rows of several sources.* build more"):
        checks.main(["--folder", str(tmp_path), "--processor_s", "10"])
