"""Output paths that are accepted, and missing permissions (test_fail_early has the paths that are refused)."""

import os

import pytest

from schemas.errors import MachineError
from train import output_file


@pytest.mark.parametrize("name", ["new.jsonl", "new/folder/new.jsonl", "old.jsonl"])
def test_a_new_or_existing_file_is_accepted(tmp_path, name):
    (tmp_path / "old.jsonl").touch()
    (tmp_path / "input.jsonl").touch()
    output_file.check("--output", str(tmp_path / name), [str(tmp_path / "input.jsonl"), str(tmp_path / "missing")])


@pytest.mark.parametrize("name", ["", "new", "new/folder/", "./new"])
def test_a_folder_is_accepted_and_not_created(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output_file.check_folder("--output", str(tmp_path / name))
    output_file.check_folder("--output", name)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_a_machine_error(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    for check in (output_file.check_folder, lambda flag, path: output_file.check(flag, path, [])):
        with pytest.raises(MachineError, match=r"locked; choose another path"):
            check("--output", str(tmp_path / "locked/new"))
