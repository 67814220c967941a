"""The three commands together: a tiny model learns 64 rows by heart, answers them by generating, and is scored."""

import json

import pytest

from schemas.example import TASKS
from tests.train.conftest import write_rows


@pytest.fixture(scope="module")
def corpus_of_64(small, tmp_path_factory) -> str:
    """64 short rows of the bundled samples, of every task that has some."""
    from train import corpus

    rows = sorted(corpus.rows(str(small), "train"), key=lambda row: (len(row["instruction"]), row["id"]))
    chosen = [row for row in rows if row["positives"]][:40] + [row for row in rows if not row["positives"]][:16]
    chosen += [row for row in rows if row["positives"] and row["task"] in ("EE", "SPO", "KG")][:8]
    unique = {row["id"]: row for row in [*chosen, *rows]}
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl", list(unique.values())[:64])


@pytest.fixture
def one_thread():
    """Of threads that wait for each other, several are slower than one where other programs run."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_64_rows_are_learnt_and_generated(corpus_of_64, tmp_path, capsys, one_thread):
    from train import predict, score, sft

    settings = (
        "training.max_steps=1000", "training.per_device_train_batch_size=2", "training.learning_rate=2e-3",
        "training.logging_steps=100", "validation_share=0",
    )  # fmt: skip
    flags = [flag for setting in settings for flag in ("--set", setting)]
    model, predictions = str(tmp_path / "model"), str(tmp_path / "predictions.jsonl")
    assert sft.main(["--config", "tiny-cpu", "--data", corpus_of_64, "--output", model, *flags]) == 0
    assert predict.main(["--model", model, "--data", corpus_of_64, "--split", "train", "--output", predictions]) == 0
    capsys.readouterr()
    assert score.main(["--predictions", predictions, "--bootstrap", "0", "--json"]) == 0
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    counts = {name: sum(row[name] for row in table["rows"]) for name in ("gold", "predicted", "right")}
    assert counts["gold"] > 60 and {row["task"] for row in table["rows"]} == set(TASKS)
    assert 2 * counts["right"] / (counts["gold"] + counts["predicted"]) >= 0.95  # micro-F1
