"""The benchmark of the checks times the rows of every shard, also of those with rows of several sources."""

import json

import pytest

from benchmarks import checks
from pipelines.build_folder import read_result
from schemas.manifests import Cleaned, Instructed


def test_all_rows_are_timed(small, tmp_path, capsys):
    (tmp_path / "build").symlink_to(small)
    shards = read_result(str(small), Instructed).shards
    assert {len(shard.sources) > 1 for shard in shards} == {True, False}
    checks.main(["--folder", str(tmp_path), "--processor_s", "10", "--json"])
    figures = json.loads(capsys.readouterr().out)
    assert figures["instructions"]["rows"] == sum(shard.rows for shard in shards)
    assert figures["examples"]["rows"] == sum(shard.rows for shard in read_result(str(small), Cleaned).shards)
    assert all(one["us_a_row"] > 0 for one in figures.values())


def test_a_time_of_zero_is_refused(capsys):
    with pytest.raises(SystemExit):
        checks.main(["--folder", "f", "--processor_s", "0"])
    assert "--processor_s must be above 0" in capsys.readouterr().err
