"""Rows of ieforge preferences in TRL's DPOTrainer, and train.reward in its GRPOTrainer: one step of a tiny model."""

import pytest

from pipelines import preferences
from train import chat, corpus
from train.reward import reward

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tiny(small, tmp_path_factory) -> str:
    from train import tiny

    texts = (row["instruction"] for row in corpus.rows(str(small), "train", sources=["ade_corpus"]))
    return tiny.save(texts, tmp_path_factory.mktemp("tiny") / "base", vocab_size=400, hidden_size=32)


def options(folder) -> dict:
    return {
        "output_dir": str(folder),
        "max_steps": 1,
        "per_device_train_batch_size": 2,
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "logging_steps": 1,
    }


def test_a_step_of_dpo(small, tiny, tmp_path):
    from datasets import load_dataset
    from trl import DPOConfig, DPOTrainer

    assert preferences.main(["--output", str(tmp_path / "pairs"), "--sources", "ade_corpus", str(small)]) == 0
    rows = load_dataset(str(tmp_path / "pairs"), split="train", cache_dir=str(tmp_path / "cache"))
    trainer = DPOTrainer(
        model=tiny,
        args=DPOConfig(**options(tmp_path / "model")),
        train_dataset=rows.select(range(4)),
        processing_class=chat.load_tokenizer(tiny),
    )
    assert trainer.train().training_loss == pytest.approx(0.6931, abs=1e-3), "ln 2: both answers as likely as before"


def test_a_step_of_grpo(small, tiny, tmp_path):
    from trl import GRPOConfig, GRPOTrainer

    rows = corpus.rows(str(small), "train", sources=["ade_corpus"], tasks=["RE"])
    rows = rows.map(lambda row: {"prompt": chat.messages(row["instruction"])})
    rewards = []

    def recorded(completions, **columns):
        rewards.extend(reward(completions, **columns))
        return rewards[-len(completions) :]

    trainer = GRPOTrainer(
        model=tiny,
        reward_funcs=recorded,
        args=GRPOConfig(**options(tmp_path / "model"), num_generations=2, max_completion_length=8),
        train_dataset=rows,
        processing_class=chat.load_tokenizer(tiny),
    )
    trainer.train()
    assert rewards == [0, 0], "random weights do not write JSON"
