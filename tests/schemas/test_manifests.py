"""Manifests survive writing and reading; other JSON is refused with the key that differs; changes are detected."""

import json

import msgspec
import pytest

from schemas import json_values, manifest_file, manifests
from schemas.agreement import Agreement, Annotators, Confusion, Disagreement, LabelAgreement, Votes
from schemas.build_statistics import Statistics, total
from schemas.errors import ConfigError, Reason
from schemas.manifests import RESULTS, Cleaned, Ingested, Instructed, InstructionCounts, Labelled, UserSource
from tests.manifests import SHA256, example_shard, instruction_shard, layer_counts, source_facts, split_read, statistics

SPLIT = split_read(read=layer_counts(3, 2), rejected={Reason.BROKEN_JSON: 1}, first_rejects=("a:1: broken_json: x",))
AGREEMENT = Agreement(
    first="ann",
    second="ben",
    texts=1,
    tokens=9,
    places={"entities": Votes(2, 1, 1)},
    labels=(LabelAgreement("entities", "PER", Votes(2, 1, 0), Votes(2, 1, 0)),),
    confusions=(Confusion("entities", "PER", "ORG", 1),),
    disagreement_count=1,
    disagreements=(Disagreement("a:1", "7", "entities", "ann", "'PER': 'Ada'", ""),),
)
ANNOTATORS = Annotators("gold", {"ann": 1, "ben": 1}, (AGREEMENT,), 1)
RAW = {"a": {"train": (("a.json", SHA256),)}}
SAMPLE_RESULTS = [
    Ingested(
        {"a": source_facts()},
        {"a": {"train": (("a.json", SHA256),)}},
        (SPLIT,),
        {"b": "why"},
        ("c",),
        {"a": UserSource("brat", True)},
        {"a": ANNOTATORS},
    ),
    Cleaned((example_shard(facts=manifests.Facts(1, {"a/train": ((0, -1), (4, 2))}, labels=(("NER", None),))),)),
    Instructed((instruction_shard({"a": 3}),)),
    Labelled({"a": ("NER", "RE")}),
]


def written(result: manifests.StageResult) -> bytes:
    return manifest_file.render(result.stage, "f", result, {"x": 1}, {"x": SHA256}).encode()


@pytest.mark.parametrize("result", SAMPLE_RESULTS, ids=lambda result: result.stage)
def test_a_manifest_survives_writing_and_reading(result):
    manifest = manifest_file.parse(written(result), type(result), "p", "run")
    assert manifest.result == result
    assert (manifest.completion.stage, manifest.completion.files) == (result.stage, {"x": 1})
    assert manifest_file.is_as_written(written(result))


def test_no_two_stages_share_a_folder():
    assert len({form.folder for form in RESULTS.values()}) == len(RESULTS)
    assert manifest_file.path("build", Instructed) == "build/data/manifest.json"


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda m: m["splits"][0].pop("shards"), "$.splits[0].shards is missing"),
        (lambda m: m["splits"][0]["read"].update(concepts=0), "$.splits[0].read.concepts is unknown"),
        (lambda m: m.update(knowledge=[]), "$.knowledge is unknown"),
        (lambda m: m.pop("fingerprint"), "$.fingerprint is missing"),
        (
            lambda m: m["splits"][0].update(split="dev"),
            "$.splits[0].split: expected `str` matching regex '^(train|validation|test)\\\\Z'",
        ),
        (lambda m: m["splits"][0]["rejected"].update(odd=1), "key in $.splits[0].rejected: invalid enum value 'odd'"),
        (lambda m: m.update(absent="c"), "$.absent: expected `array`, got `str`"),
        (lambda m: m["files"].update(x=-1), "$.files[...]: expected `int` >= 0"),
    ],
)  # fmt: skip
def test_a_manifest_of_another_version_is_refused_with_the_key(change, difference):
    content = json.loads(written(SAMPLE_RESULTS[0]))
    change(content)
    with pytest.raises(ConfigError) as refusal:
        manifest_file.parse(json.dumps(content).encode(), Ingested, "examples/manifest.json", "run the build again")
    assert str(refusal.value) == (
        f"examples/manifest.json: made by another version of IEForge, or damaged ({difference}); run the build again"
    )


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"a":' * 100_000])
def test_invalid_json_is_refused(content):
    with pytest.raises(ConfigError, match=r"^p: invalid JSON \(.*\); run$"):
        manifest_file.parse(content, Ingested, "p", "run")


@pytest.mark.parametrize("change", [lambda m: m["absent"].append("d"), lambda m: m.update(checksum="1" * 64)])
def test_a_change_is_detected(change):
    content = json.loads(written(SAMPLE_RESULTS[0]))
    change(content)
    altered = json.dumps(content, ensure_ascii=False).encode()
    assert manifest_file.parse(altered, Ingested, "p", "run")
    assert not manifest_file.is_as_written(altered)


def test_checksums_are_those_that_a_stage_recorded():
    assert manifest_file.noted_checksums(SAMPLE_RESULTS[1]) == {"clean/a/train-00000.parquet": SHA256}
    assert manifest_file.noted_checksums(SAMPLE_RESULTS[3]) == {}


def test_statistics_are_read_back():
    counts = statistics({"a": {"train": 3, "test": 0}})
    text = json_values.render(counts)
    assert json_values.parse(text.encode(), Statistics, "p", "run") == counts
    assert list(json.loads(text)) == list(Statistics.__struct_fields__)


def test_totals_add_up_field_by_field():
    one, other = InstructionCounts(1, 2, 3), InstructionCounts(10, 0, 0, 4)
    assert total(InstructionCounts, [one, other]) == InstructionCounts(11, 2, 3, 4)
    assert total(InstructionCounts, []) == InstructionCounts()


def test_reasons_are_written_by_their_names():
    assert msgspec.to_builtins(SPLIT)["rejected"] == {"broken_json": 1}
