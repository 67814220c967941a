"""What the stages of a build note of what they wrote: the content of each `manifest.json`, and of `build.json`.

A manifest is one JSON object: what the stage noted (a `StageResult`) and, in the same object, what the engine noted of
the stage's end (`Completion`). The engine writes it last. `pipelines.build_folder` reads it in a build, `train.corpus`
for training. Every key is known: a manifest with another key, or without one, is of another version of IEForge.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from schemas import json_values
from schemas.errors import Reason
from schemas.example import SPLITS, TASKS

Count = Annotated[int, Meta(ge=0, le=2**53)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
"""Hex."""

INSIDE = r"(?s)^(?!/|.*//|(.*/)?\.{1,2}(/|\Z)|.*[^/]{256})[^\x00]{1,4096}\Z"
"""What a path below a folder looks like: without `..`, and no longer than a file system takes it."""

Inside = Annotated[str, Meta(pattern=INSIDE)]

Task = Annotated[str, Meta(pattern=rf"^({'|'.join(TASKS)})\Z")]
Split = Annotated[str, Meta(pattern=rf"^({'|'.join(SPLITS)})\Z")]
Losses = dict[Reason, Count]
"""Reason → records, windows or parts of records that were dropped for it."""


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object that this version of IEForge writes and reads, with these keys and no others."""


class StageResult(Stored, frozen=True):
    """What a stage notes in its manifest. `stage` is its name; the manifest lies in `folder` of the build."""

    stage: ClassVar[str]
    folder: ClassVar[str]


class LayerCounts(Stored, frozen=True):
    """Texts, and what is annotated in them."""

    examples: Count
    entities: Count
    relations: Count
    events: Count


class SourceFacts(Stored, frozen=True):
    """What a source is. `licence`: its class, which decides what may be published; `citation`: a BibTeX key."""

    name: str
    title: str
    lang: str
    domain: str
    tasks: tuple[Task, ...]
    licence: Literal["open", "ask", "gated"]
    licence_text: str
    homepage: str
    citation: str
    held_out: bool
    one_pair: bool


class RawShard(Stored, frozen=True):
    """A shard of examples/, as read."""

    path: Inside
    rows: Count


class SplitRead(Stored, frozen=True):
    """What was read of one split of a source.

    `read` counts what is in `shards`; `annotated`: records with a layer; `beyond_limit`: good records that
    `ingest.limit` left out; `rejected` counts records, `lost` parts of records that were kept. `first_rejects` (up to
    three) and `first_lost` (up to one) are lines for people: `place: reason: detail`.
    """

    key: str
    split: Split
    read: LayerCounts
    annotated: Count
    beyond_limit: Count
    rejected: Losses
    lost: Losses
    first_rejects: tuple[str, ...]
    first_lost: tuple[str, ...]
    shards: tuple[RawShard, ...]


class Ingested(StageResult, frozen=True):
    """Written by ingest; read by clean, the statistics, the report, and publishing.

    `sources`: key → what the source is, of those that were read. `raw`: key → split (or `schema`: the files that say
    what a user's own folder holds) → (name, SHA-256) of each file, "" for one that cannot be read. `failed`: key → why
    the source is missing. `absent`: keys of sources whose files hold texts of their siblings alone.
    """

    stage: ClassVar[str] = "ingest"
    folder: ClassVar[str] = "examples"

    sources: dict[str, SourceFacts]
    raw: dict[str, dict[str, tuple[tuple[str, str], ...]]]
    splits: tuple[SplitRead, ...]
    failed: dict[str, str]
    absent: tuple[str, ...]


Place = tuple[int, int]
"""Number and window (-1: not cut) of an example in its source and split."""

Names = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Of rows without a fault. `places`: `<key>/<split>` → the first and the last example, which stand in order.

    `negatives` and `positives` are those of `validation.profile.negative_counts`, 0 for test rows. `labels` are the
    different ones of the layers of Examples, to be compared with label sets that are made later: (layer, label), of
    relations with the labels of head and tail, of events also with each role.
    """

    rows: int
    places: dict[str, tuple[Place, Place]]
    negatives: int = 0
    positives: int = 0
    labels: tuple[Names, ...] = ()


Bins = dict[str, Count]
"""Number of a bin, in decimals as JSON wants it → how many are in it; empty bins are left out."""


class TextHistograms(Stored, frozen=True):
    """Of texts: `lengths` in characters, in the bins of `pipelines.describe.lengths`."""

    lengths: Bins = {}


class InstructionHistograms(Stored, frozen=True):
    """Of instructions: `lengths` of prompt and answer in characters, in the same bins; `positives`, whose bins are 0,
    1, 2 ... positive labels.
    """

    lengths: Bins = {}
    positives: Bins = {}


class ExampleShard(Stored, frozen=True):
    """A shard of clean/. `number` counts the shards of examples/ in (key, split, file) order.

    `sha256` is that of the file at `path` as it was written, `keys_sha256` of the leakage keys of its texts. `facts`:
    null where some row may have a fault. `windows` came to the stage, `kept` counts the rows of the shard, `rejected`
    windows. `crosses_window`: layer → annotations that no window holds; `same_text`: rows kept beside others of the
    same text; `leaks_into`: key of a test split → texts dropped because they occur there.
    """

    number: Count
    key: str
    split: Split
    path: Inside
    rows: Count
    sha256: Sha256
    keys_sha256: Sha256
    facts: Facts | None
    windows: Count
    crosses_window: dict[str, Count]
    kept: LayerCounts
    same_text: Count
    rejected: Losses
    leaks_into: dict[str, Count]
    histograms: TextHistograms


class Cleaned(StageResult, frozen=True):
    """Written by clean; read by all later stages but tokens, and by publishing. `shards` by their numbers."""

    stage: ClassVar[str] = "clean"
    folder: ClassVar[str] = "clean"

    shards: tuple[ExampleShard, ...]


class Labelled(StageResult, frozen=True):
    """Written by labels; read by all later stages. `tasks`: source key → the tasks that it has a label set for."""

    stage: ClassVar[str] = "labels"
    folder: ClassVar[str] = "labels"

    tasks: dict[str, tuple[Task, ...]]


class Mined(StageResult, frozen=True):
    """Written by mine; read by the statistics. `hard_negatives`: mine, none, or the name of a user's own dictionary;
    `model`: the encoder's name, null where nothing was mined.
    """

    stage: ClassVar[str] = "mine"
    folder: ClassVar[str] = "hard_negatives"

    hard_negatives: str
    model: str | None


class InstructionCounts(Stored, frozen=True):
    """Rows of data/, and the texts that they ask about.

    `all_negative`: rows without a positive label; `with_hard_negatives`: rows with one from the dictionary; `cut`:
    prompts that were cut; `neighbour_pairs`: pairs of a positive label of an example and a hard negative of it;
    `neighbours_together`: of these, the pairs that one row asks for. A count that is left out is 0.
    """

    instructions: Count = 0
    examples: Count = 0
    all_negative: Count = 0
    with_hard_negatives: Count = 0
    cut: Count = 0
    neighbour_pairs: Count = 0
    neighbours_together: Count = 0


class InstructionShard(Stored, frozen=True):
    """A shard of data/. `sources` and `histograms` are by source key; `facts`: null where some row may have a fault."""

    task: Task
    split: Split
    path: Inside
    rows: Count
    sha256: Sha256
    facts: Facts | None
    sources: dict[str, InstructionCounts]
    histograms: dict[str, InstructionHistograms]


class Instructed(StageResult, frozen=True):
    """Written by instruct; read by tokens, validate, the statistics, report, card, publishing and training. `shards` by
    their paths.
    """

    stage: ClassVar[str] = "instruct"
    folder: ClassVar[str] = "data"

    shards: tuple[InstructionShard, ...]


class TokenStratum(Stored, frozen=True):
    """What is estimated of `rows` rows of which `counted` were drawn (`pipelines.describe.token_estimate`).

    `prompt` and `answer`: tokens of all rows; `variance`: of the estimate of both; `longest`: of the rows counted;
    `histogram`: rows per bin; `above`: context size → rows longer than it, `above_variance` that of the estimate.
    """

    rows: Count
    counted: Count
    prompt: float
    answer: float
    variance: float
    longest: Count
    histogram: tuple[float, ...]
    above: dict[str, float]
    above_variance: dict[str, float]


class TokenCounts(Stored, frozen=True):
    """`contexts`: context sizes in tokens; `edges`: upper ends of the histograms' bins, of which the last has none;
    `by_source`: source key → task → split.
    """

    tokenizer: str
    contexts: tuple[int, ...]
    edges: tuple[int, ...]
    by_source: dict[str, dict[Task, dict[Split, TokenStratum]]]


class Tokenized(StageResult, frozen=True):
    """Written by tokens; read by the statistics. Null where no tokenizer was given."""

    stage: ClassVar[str] = "tokens"
    folder: ClassVar[str] = "tokens"

    tokens: TokenCounts | None


class Validated(StageResult, frozen=True):
    """Written by validate once every suite has passed: the mark of a build that may be trained on."""

    stage: ClassVar[str] = "validate"
    folder: ClassVar[str] = "reports"


class Reported(StageResult, frozen=True):
    """Written by report."""

    stage: ClassVar[str] = "report"
    folder: ClassVar[str] = "reports/report"


class Carded(StageResult, frozen=True):
    """Written by card; read by publishing. `config`: the configuration that all stages ran with (`build.json` may
    already have that of a later, partial build), as `pipelines.config.Config` writes it.
    """

    stage: ClassVar[str] = "card"
    folder: ClassVar[str] = "card"

    config: dict[str, Any]


RESULTS: dict[str, type[StageResult]] = {
    form.stage: form
    for form in (Ingested, Cleaned, Labelled, Mined, Instructed, Tokenized, Validated, Reported, Carded)
}
"""Stage → what it notes, in the order in which the stages run."""

STAGES = tuple(RESULTS)


class BuildRecord(msgspec.Struct, frozen=True):
    """`build.json`, which marks a build's folder: the configuration that it was last built with, of any version."""

    ieforge: dict[str, Any]


class Completion(Stored, frozen=True):
    """What the engine notes when a stage has ended.

    `fingerprint` stands for all that decides the stage's result. `files`: path → bytes of every file that it wrote;
    `sha256`: their checksums as they were written; `checksum`: that of the manifest's other content.
    """

    stage: str
    fingerprint: str
    files: dict[Inside, Count]
    sha256: dict[Inside, Sha256]
    checksum: Sha256


Result = TypeVar("Result", bound=StageResult)


@dataclass(frozen=True)
class Manifest(Generic[Result]):
    """The two parts of a `manifest.json`."""

    completion: Completion
    result: Result


def path(output: str, form: type[StageResult]) -> str:
    """Where the manifest with this content lies in a build."""
    return f"{output}/{form.folder}/manifest.json"


def parse(content: bytes, form: type[Result], path: str, remedy: str) -> Manifest[Result]:
    """The manifest in the bytes of the file `path`. Raises ConfigError as `json_values.parse` does."""
    result = json_values.parse(content, dict[str, Any], path, remedy)
    completion = {name: result.pop(name) for name in Completion.__struct_fields__ if name in result}
    return Manifest(
        json_values.convert(completion, Completion, path, remedy), json_values.convert(result, form, path, remedy)
    )


def render(stage: str, fingerprint: str, result: StageResult, sizes: dict[str, int], sha256: dict[str, str]) -> str:
    """The text of a manifest: see `Completion`, of which `sizes` are the `files`."""
    content = {"stage": stage, "fingerprint": fingerprint, **msgspec.to_builtins(result)}
    content |= {"files": sizes, "sha256": sha256}
    return json.dumps({**content, "checksum": checksum(content)}, ensure_ascii=False, indent=1) + "\n"


def checksum(content: dict[str, Any]) -> str:
    """SHA-256 of a manifest's content but for its checksum, hex."""
    content = {name: value for name, value in content.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def is_as_written(content: bytes) -> bool:
    """Whether a manifest that can be parsed has the content that its checksum was made of."""
    value = json.loads(content)
    return value["checksum"] == checksum(value)


def noted_checksums(result: StageResult) -> dict[str, str]:
    """Path → SHA-256 of the files that the stage summed as it wrote them."""
    return {shard.path: shard.sha256 for shard in result.shards} if isinstance(result, Cleaned | Instructed) else {}
