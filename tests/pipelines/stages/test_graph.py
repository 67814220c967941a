"""The graphs of all stages use only what every Beam runner supports, and nothing that only this process could run.

Below the composites there are only the primitives of Beam's portability model that all runners translate: impulse,
ParDo, GroupByKey, Flatten. A composite is a name around these; a runner that does not know it runs its parts. ParDo may
read side inputs as iterables of the global window (Beam's CombineGlobally does so to make a value if there are no
elements); Flink, Spark and Dataflow broadcast those. State, timers, splittable DoFns, other windows and side inputs by
key are not used: some runners lack them or run them on one worker.
"""

import base64
import bz2
import pickletools
import re
import shutil

import apache_beam as beam
import pytest
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.transforms.environments import DockerEnvironment

from pipelines.build_folder import Shard
from pipelines.config import Config
from pipelines.engine.distribute import Distribute
from pipelines.knowledge import export, page_titles, pages
from pipelines.knowledge.config import Pages
from pipelines.knowledge.entities import ReadDumps, RewriteShards
from pipelines.knowledge.link import ItemFiles, LinkShards, SpanSearch
from pipelines.knowledge.link import Shard as PageShard
from pipelines.knowledge.types import FindTypes, ItemFile
from pipelines.stages.clean import Clean
from pipelines.stages.ingest import Ingest, IngestSplit, SplitFiles
from pipelines.stages.instruct import Instruct, OutputShard, ask_options
from pipelines.stages.labels import WriteLabels
from pipelines.stages.mine import Amend, CopyDictionaries, Mine
from pipelines.stages.parts import Shard as PlannedShard
from pipelines.stages.parts import WriteShards
from pipelines.stages.validate import Check, Validate
from schemas.example import TASKS
from transforms import prompts
from transforms.files import File
from transforms.knowledge.dump_parts import Part
from transforms.knowledge.spans import spans
from transforms.partial_leaks import LeakRules

IMAGE = "registry.example/ieforge:1"
PRIMITIVES = {f"beam:transform:{name}:v1" for name in ("impulse", "pardo", "group_by_key", "flatten")}
SIDE_INPUTS = {"beam:side_input:iterable:v1"}

SHARDS = [Shard(number, "scierc", "train", f"examples/scierc/train-{number:05d}.parquet") for number in range(2)]
CHECKS = [Check("labels", tasks=(("NER", "scierc"),)), Check("hard_negatives", tasks=(("NER", "scierc"),))]
LABEL_SETS = [("NER", "scierc"), ("RE", "scierc")]
MINE = Config().mine
AMEND = Amend({}, {}, 20)
CHOICE = export.Choice({"Person": frozenset({"spouse"})}, 42, 0.5, 0.5, 0.1, 0.05, 0.05)
STAGES = {
    "ingest": (
        Ingest("out", IngestSplit("out", None, 42, 10_000, ("anatem",)), in_parts=True),
        [
            SplitFiles("raw", "scierc", split, (File(f"raw/{split}.json", f"{split}.json"),))
            for split in ("train", "test")
        ],
    ),
    "ingest (shards)": (
        WriteShards("out"),
        [PlannedShard("scierc", "train", "examples/scierc/train-00000.parquet", 0, (("out/a.arrow", 0, 1),))],
    ),
    "clean": (Clean("out", SHARDS, Config().clean), SHARDS),
    "labels": (WriteLabels("out", "raw", TASKS, ()), SHARDS),
    "mine": (
        Mine(
            "out", "raw", LABEL_SETS, "lexical", "out/embeddings", MINE.evidence, MINE.annotations, AMEND, None, {}, ""
        ),
        SHARDS,
    ),
    "given": (CopyDictionaries("out", "dictionary.json", AMEND), LABEL_SETS),
    "instruct": (
        Instruct("out", ask_options(Config()), {"iepile": prompts.load(None, TASKS, ["en", "zh"])}),
        [OutputShard("NER", "train", number, 2, (SHARDS[number],)) for number in range(2)],
    ),
    "validate": (Validate("out", CHECKS, 2000, 20, {}, 2.0, "unite", LeakRules(10, 0.8)), CHECKS),
    "entities": (
        ReadDumps("out", "en", frozenset({31}), 2, 50_000),
        [(number, Part(File("raw/dump.json.bz2", "dump.json.bz2"), number, number + 1)) for number in range(2)],
    ),
    "entities again": (RewriteShards("out"), ["00000-00000", "00000-00001"]),
    "pages": (
        pages.ReadFiles("out", "en", Pages()),
        [pages.PageSource(0, 0, "a", Part(File("raw/a.xml", "a.xml"), 0, 9), "xml")],
    ),
    "titles": (
        page_titles.ResolveTitles("out", 2),
        [
            page_titles.RedirectPart(0, 0),
            page_titles.NamesPart("names"),
            page_titles.PlannedShard(0, (page_titles.Slice(0, 0, 0, 1, 0),)),
        ],
    ),
    "sample": (
        export.Sample("out", CHOICE, 2),
        [export.Shard(number, f"score/{number:05d}.parquet") for number in range(2)],
    ),
    "export": (
        export.Write("out", CHOICE, {}, {"Person": 7}),
        [export.Shard(number, f"score/{number:05d}.parquet") for number in range(2)],
    ),
    "types": (
        FindTypes("out", {"human": (5,), "event": (1190554, 1656682)}, ("event",), 2),
        [ItemFile(number, f"entities/items/{number:05d}-00000.parquet") for number in range(2)],
    ),
    "link": (
        LinkShards(
            "out",
            [ItemFiles("entities/items/0.parquet", "entities/names/0.parquet", "types/0.parquet")],
            "all",
            SpanSearch(spans, 8),
            2,
            2,
            "entities/merged.parquet",
        ),
        [PageShard(number, f"pages/{number:05d}.parquet") for number in range(2)],
    ),
}


@pytest.fixture(scope="module", params=STAGES)
def graph(request) -> beam_runner_api_pb2.Pipeline:
    """One stage of a build as the portable graph that every runner gets."""
    transform, elements = STAGES[request.param]
    pipeline = beam.Pipeline(runner="DirectRunner")
    shutil.rmtree(pipeline.local_tempdir)  # otherwise deleted only by a run
    pipeline | Distribute(elements) | request.param >> transform
    environment = DockerEnvironment.from_container_image(IMAGE, artifacts=())
    return pipeline.to_runner_api(default_environment=environment)


def leaves(graph) -> list[beam_runner_api_pb2.PTransform]:
    """The transforms that a runner has to know, without composites that only pass on their input."""
    return [
        transform
        for transform in graph.components.transforms.values()
        if not transform.subtransforms and not set(transform.outputs.values()) <= set(transform.inputs.values())
    ]


def pardos(graph) -> list[beam_runner_api_pb2.ParDoPayload]:
    payloads = [leaf.spec.payload for leaf in leaves(graph) if leaf.spec.urn == "beam:transform:pardo:v1"]
    return [beam_runner_api_pb2.ParDoPayload.FromString(payload) for payload in payloads]


def pickled_names(graph) -> set[str]:
    """All strings in the pickled functions, including names of modules, classes, functions and files."""
    names = set()
    for payload in pardos(graph):
        if payload.do_fn.urn == "beam:dofn:pickled_python_info:v1":
            pickled = bz2.decompress(base64.b64decode(payload.do_fn.payload))
            names |= {argument for _, argument, _ in pickletools.genops(pickled) if isinstance(argument, str)}
    return names


def test_only_primitives_of_every_runner_are_used(graph):
    urns = {leaf.spec.urn for leaf in leaves(graph)}
    assert {"beam:transform:impulse:v1", "beam:transform:pardo:v1"} <= urns <= PRIMITIVES
    assert not graph.requirements  # stateful, splittable and time-ordered processing, bundle finalisers


def test_all_code_runs_in_the_configured_environment(graph):
    used = {leaf.environment_id for leaf in leaves(graph) if leaf.spec.urn == "beam:transform:pardo:v1"}
    for name in used:
        environment = graph.components.environments[name]
        assert environment.urn == "beam:env:docker:v1"
        assert beam_runner_api_pb2.DockerPayload.FromString(environment.payload).container_image == IMAGE
        assert not environment.resource_hints


def test_functions_have_no_state_and_read_side_inputs_as_iterables(graph):
    assert pardos(graph)
    for payload in pardos(graph):
        assert not payload.state_specs
        assert not payload.timer_family_specs
        assert not payload.restriction_coder_id
        assert not payload.requests_finalization
        assert {side.access_pattern.urn for side in payload.side_inputs.values()} <= SIDE_INPUTS


def test_everything_is_in_the_global_window(graph):
    for windowing in graph.components.windowing_strategies.values():
        assert windowing.window_fn.urn == "beam:window_fn:global_windows:v1"


def test_transform_names_are_unique_and_readable(graph, request):
    names = [transform.unique_name for transform in graph.components.transforms.values()]
    assert len(names) == len(set(names))
    stage = request.node.callspec.params["graph"]
    ours = [name.split("/")[1] for name in names if name.startswith(f"{stage}/")]
    assert ours
    assert all(re.fullmatch("[A-Z][a-z ]+", label) for label in ours)


def test_pickled_functions_can_be_loaded_on_a_worker(graph):
    """Workers have only the packages: functions are pickled by name, except for Beam's lambdas, pickled by value."""
    names = pickled_names(graph)
    assert not [name for name in names if name.split(".")[0] in ("__main__", "tests")]
    assert "pipelines.build" not in names  # is __main__ in a running build
    assert [name for name in names if name.split(".")[0] == "pipelines"]
    assert not [name for name in names if name.endswith(".py") and "/apache_beam/" not in name]


@pytest.mark.parametrize(
    ("graph", "shuffles"),
    [
        ("clean", {"Group by hash"}),
        ("sample", {"Group by combination", "Group by shard", "Group by theme"}),
        ("entities", {"Group by item", "Group by shard"}),
        ("titles", {"Group redirects", "Group titles", "Group names", "Group by shard"}),
        ("types", {*(f"Meet after {steps} steps" for steps in range(11)), "Meet items"}),
    ],
    indirect=["graph"],
)
def test_tables_cross_a_shuffle_as_arrow(graph, shuffles):
    """Rows are grouped as pairs of a bucket and a table, and the table has an Arrow coder, not the pickler."""
    grouped = {name: leaf for leaf in leaves(graph) if (name := leaf.unique_name.rpartition("/")[2]) in shuffles}
    assert grouped.keys() == shuffles
    for shuffle in grouped.values():
        (collection,) = shuffle.inputs.values()
        pair = graph.components.coders[graph.components.pcollections[collection].coder_id]
        table = graph.components.coders[pair.component_coder_ids[1]]
        assert b"TableCoder$" in table.spec.payload
