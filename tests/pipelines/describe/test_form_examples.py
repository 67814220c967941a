"""The same question in each form that a corpus has: its answers are equal, and its prompts ask for their forms."""

import pytest

from pipelines.build_folder import clean_shards, read_label_set
from pipelines.describe.form_examples import CHARS, form_examples
from schemas.arrow import instruction_schema
from schemas.manifests import InstructionCounts, InstructionShard
from transforms import answer_forms, prompts
from transforms.ask import AskOptions, ask_spec
from transforms.instruct import instruction_table
from transforms.shards import read_shard, write_shard

MIXED = {"iepile": 0.3, "triples": 0.2, "nan": 0.2, "sentences": 0.2, "spans": 0.1}
TASKS = {"conll2003": "NER", "ade_corpus": "RE", "clue_ner": "NER"}


def shards_in(forms: dict[str, float], build, folder) -> list[InstructionShard]:
    """The train rows of TASKS with this mixture of forms, one shard per source."""
    options = AskOptions(forms=forms)
    by_form = {form: prompts.load(form=form) for form in forms}
    shards = []
    for shard, _ in clean_shards(str(build)):
        if shard.split != "train" or shard.key not in TASKS:
            continue
        task = TASKS[shard.key]
        labels = read_label_set(str(build), task, shard.key).labels
        examples = read_shard(f"{build}/{shard.path}")
        spec = ask_spec(task, labels, None, prompts.load(), options, by_form)
        rows = instruction_table(examples, spec)[0]
        path = f"data/{task}/train-{len(shards):05}-of-00003.parquet"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_shard(str(folder / path), instruction_schema(options.optional_columns), [rows])
        counts = {shard.key: InstructionCounts(instructions=rows.num_rows)}
        shards.append(InstructionShard(task, "train", path, rows.num_rows, "0" * 64, None, counts, {}))
    return shards


def test_all_forms_are_shown_with_equal_answers(small, tmp_path):
    shards = shards_in(MIXED, small, tmp_path)
    examples = form_examples(str(tmp_path), shards, TASKS)
    assert [[one.form for one in example.answers] for example in examples] == [
        ["iepile", "nan", "triples", "sentences"],
        ["iepile", "nan", "spans"],
    ]
    ids = {id_ for shard in shards for id_ in read_shard(f"{tmp_path}/{shard.path}")["id"].to_pylist()}
    for example in examples:
        assert example.id in ids
        labels = list(answer_forms.read("iepile", example.task, example.answers[0].answer))
        for one in example.answers:
            texts = prompts.load(form=one.form)[example.task]
            assert one.prompt in texts["zh" if example.id.startswith("clue_ner") else "en"]
            answer = answer_forms.read(one.form, example.task, one.answer, labels)
            assert answer == answer_forms.read("iepile", example.task, example.answers[0].answer)
        assert any(answer.values()) and not all(answer.values())
        assert len(example.text) < CHARS
    assert form_examples(str(tmp_path), shards[::-1], TASKS) == examples


def test_only_the_sources_of_a_release_are_shown(small, tmp_path):
    shards = shards_in(MIXED, small, tmp_path)
    (chinese,) = form_examples(str(tmp_path), shards, {"clue_ner"})
    assert chinese.id.startswith("clue_ner/train/")
    assert chinese.answers[0].prompt in prompts.load()["NER"]["zh"]
    assert form_examples(str(tmp_path), shards, {"msra"}) == []


@pytest.mark.parametrize("forms", [{"iepile": 1.0}, {"nan": 1.0}])
def test_rows_in_one_form_have_no_example(forms, small, tmp_path):
    assert form_examples(str(tmp_path), shards_in(forms, small, tmp_path), TASKS) == []
