"""The ablation of the kinds of evidence, on small references."""

import json

import pytest

from benchmarks import hard_negatives

ONE = {"CoNLL2003": {"person": ["organization"], "organization": ["person", "location"], "location": ["person"]}}
TWO = ONE | {"CrossNER_AI": {"field": ["task"], "task": ["algorithm"], "algorithm": ["field", "product"]}}


def scores(tmp_path, capsys, reference: dict) -> str:
    path = tmp_path / "reference.json"
    path.write_text(json.dumps({"NER": reference}))
    assert hard_negatives.main(["--reference", str(path), "--embedding_model", "lexical"]) == 0
    return capsys.readouterr().out


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("reference", [ONE, TWO])
def test_kinds_are_chosen_on_other_sources_only_if_there_are_any(tmp_path, capsys, reference):
    output = scores(tmp_path, capsys, reference)
    assert ("kinds chosen for each source on the others" in output) == (len(reference) > 1)
    for source in reference:
        assert f"| NER {source} | labels only | 3 |" in output
