"""`ieforge inspect`: how far the annotators of the same texts agree."""

import json

import pytest

from tests.label_studio_tasks import task
from tests.pipelines.test_inspect import shown

ADA, ROME = ("Ada", "PER"), ("Rome", "LOC")
SHARED_TASKS = [
    task(1, "Ada met Bo in Rome.", {"ann": [ADA, ROME], "ben": [ADA, ("Rome", "ORG")]}),
    task(2, "Bo left.", {"ann": [("Bo", "PER")], "ben": [], "eve": []}),
    task(3, "Ada left.", {"eve": [ADA]}),
]
AGREEMENT = """\
    train: 3 texts, 4 entities
    annotators: ann (2 texts), ben (2 texts), eve (2 texts)
    of each text, the annotation that is marked as gold is taken, else the first one (annotators: gold); left out: 3 \
other annotations
  agreement of the annotators:
    ann and ben, 2 texts in common
      entities: F1 of the spans without labels 0.80
        PER: F1 0.67, kappa 0.61 (2 and 1, 1 the same)
        LOC: F1 0.00, kappa 0.00 (1 and 0, 0 the same)
        ORG: F1 0.00, kappa 0.00 (0 and 1, 0 the same)
      entities labelled LOC by ann, ORG by ben: 1
      annotations that only one of them has: 3
        train.json:1 (text 1): only ann has 'LOC': 'Rome'; ben has 'ORG': 'Rome'
        train.json:1 (text 1): only ben has 'ORG': 'Rome'; ann has 'LOC': 'Rome'
        train.json:1 (text 2): only ann has 'PER': 'Bo'
    ann and eve, 1 text in common
      entities: F1 of the spans without labels 0.00
        PER: F1 0.00, kappa 0.00 (1 and 0, 0 the same)
      annotations that only one of them has: 1
        train.json:1 (text 2): only ann has 'PER': 'Bo'
    ben and eve, 1 text in common
  labels of entities: 2
"""


def test_the_agreement_of_annotators(tmp_path, capsys):
    """Of the nine tokens of the two texts, ann has PER in two, ben in one: they agree on 8 of 9, by chance on
    (2 * 1 + 7 * 8) / 81. Annotations that are not chosen are no problem.
    """
    (tmp_path / "train.json").write_text(json.dumps(SHARED_TASKS))
    out = shown(capsys, str(tmp_path))
    assert AGREEMENT in out and "  problems: none\n" in out
    (source,) = json.loads(shown(capsys, str(tmp_path), "--json"))["sources"]
    assert source["annotators"] == {"ann": 2, "ben": 2, "eve": 2}
    assert (source["annotators_choice"], source["annotations_not_chosen"]) == ("gold", 3)
    assert source["splits"]["train"]["records_left_out"] == 0
    pair = source["agreement"][0]
    assert (pair["first"], pair["second"], pair["texts"], pair["disagreement_count"]) == ("ann", "ben", 2, 3)
    assert pair["places"] == {"entities": {"first": 3, "second": 2, "both": 2, "f1": 0.8}}
    (label,) = (label for label in pair["labels"] if label["label"] == "PER")
    assert label["kappa"] == pytest.approx((8 / 9 - 58 / 81) / (1 - 58 / 81))
    (tmp_path / "source.yaml").write_text("annotators: majority\nsplits: {train: 1}\n")
    out = shown(capsys, str(tmp_path))
    assert "  texts (divided by a hash of the text, or of its document, into the shares of source.yaml):\n" in out
    assert (
        "    the annotations of each text are made one by majority (annotators: majority); "
        "3 entities, relations or events have too few votes\n"
    ) in out
