"""The ablation of the kinds of evidence with a reference of few sources."""

import json

import pytest

from benchmarks import hard_negatives

CONLL04 = {"kill": ["live in"], "live in": ["organization based in"]}
SCIERC = {"used for": ["feature of"], "feature of": ["part of"]}


@pytest.mark.parametrize(
    ("sources", "chosen"),
    [
        ({"conll04": CONLL04}, "needs at least two sources"),
        ({"conll04": CONLL04, "SciERC": SCIERC}, "added one by one "),
    ],
)
def test_kinds_are_chosen_on_other_sources_if_there_are_any(tmp_path, capsys, sources, chosen):
    reference = tmp_path / "reference.json"
    reference.write_text(json.dumps({"RE": sources}))
    assert hard_negatives.main(["--reference", str(reference), "--embedding_model", "lexical"]) == 0
    assert f"kinds chosen for each source on the others: {chosen}" in capsys.readouterr().out
