"""Training, prediction and scoring in sequence: a tiny model overfits 16 rows and reproduces their answers."""

import json

import pytest

from schemas.example import TASKS
from tests.train.conftest import write_rows


@pytest.fixture(scope="module")
def corpus(small, tmp_path_factory) -> str:
    """16 short rows of the bundled samples: two of every task, and two without an answer."""
    from train.corpus import rows as read_rows

    rows = sorted(read_rows(str(small), "train"), key=lambda row: (len(row["instruction"]), row["id"]))
    chosen = [row for row in rows if not row["positives"]][:2]
    for task in TASKS:
        chosen += [row for row in rows if row["positives"] and row["task"] == task][:2]
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl", chosen)


def test_a_model_overfits_and_reproduces_its_rows(corpus, tmp_path, capsys, one_thread):
    from train import predict, score, sft

    settings = (
        "training.max_steps=300", "training.per_device_train_batch_size=2", "training.learning_rate=2e-3",
        "training.logging_steps=100", "validation_share=0", "training.max_length=1024",
    )  # fmt: skip
    flags = [flag for setting in settings for flag in ("--set", setting)]
    model, predictions = str(tmp_path / "model"), str(tmp_path / "predictions.jsonl")
    assert sft.main(["--config", "tiny-cpu", "--data", corpus, "--output", model, *flags]) == 0
    assert predict.main(["--model", model, "--data", corpus, "--split", "train", "--output", predictions]) == 0
    capsys.readouterr()
    assert score.main(["--predictions", predictions, "--bootstrap", "0", "--json"]) == 0
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    counts = {name: sum(row[name] for row in table["rows"]) for name in ("gold", "predicted", "right")}
    assert counts["gold"] > 15 and {row["task"] for row in table["rows"]} == set(TASKS)
    assert 2 * counts["right"] / (counts["gold"] + counts["predicted"]) >= 0.95  # micro-F1
