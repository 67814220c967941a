"""The manifests in which the stages of a build record their results: each `manifest.json`, and `build.json`.

A manifest is one JSON object with the keys of a `StageResult`, which the stage returns, and of a
`manifest_file.Completion`, which the engine adds. The engine writes it last. `pipelines.build_folder` reads the
manifests of a build, `train.corpus` reads one for training. A manifest with a missing or unknown key is refused as that
of another version of IEForge.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta

from schemas.agreement import Annotators
from schemas.errors import Reason
from schemas.example import LAYER, SPLITS, TASKS
from schemas.json_values import Count

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
"""A SHA-256 checksum, hex."""

INSIDE = r"(?s)^(?!/|.*//|(.*/)?\.{1,2}(/|\Z)|.*[^/]{256})[^\x00]{1,4096}\Z"
"""The pattern of a path below a folder: without `..`, with lengths that file systems accept."""

Inside = Annotated[str, Meta(pattern=INSIDE)]

Task = Annotated[str, Meta(pattern=rf"^({'|'.join(TASKS)})\Z")]
Split = Annotated[str, Meta(pattern=rf"^({'|'.join(SPLITS)})\Z")]
Losses = dict[Reason, Count]
"""Reason → number of dropped records, windows or parts of records."""


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object that this version of IEForge writes and reads, with these keys and no others."""


class StageResult(Stored, frozen=True):
    """What a stage records in its manifest. `stage` is its name; the manifest is in `folder` of the build."""

    stage: ClassVar[str]
    folder: ClassVar[str]


class LayerCounts(Stored, frozen=True):
    """Numbers of texts and of their annotations."""

    examples: Count
    entities: Count
    relations: Count
    events: Count


class SourceFacts(Stored, frozen=True):
    """Description of a source. `licence`: its class, which decides what may be published. `citation`: a BibTeX key."""

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


class UserSource(Stored, frozen=True):
    """A source of a user's own data. `format`: the name of its format for people. `lang_is_guess`: whether the language
    is not stated, and the script of the texts does not tell it for sure.
    """

    format: str
    lang_is_guess: bool


class RawShard(Stored, frozen=True):
    """A shard of examples/, written by ingest."""

    path: Inside
    rows: Count


REJECTS_KEPT = 10_000
"""Number of records, and of parts of records, per split that ingest lists in rejects/, with place and detail. The
others are only counted, as a whole file may be rejected.
"""


class SplitRead(Stored, frozen=True):
    """Counts of one split of a source after ingest.

    `read`: counts of the records in `shards`. `annotated`: records with at least one annotated layer. `beyond_limit`:
    good records that `ingest.limit` left out. `rejected`: records by reason. `lost`: lost parts of kept records, by
    reason. `first_rejects` (at most three) and `first_lost` (at most one) are messages: `place: reason: detail`.
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

    `sources`: key → description, of all sources that were read. `raw`: key → split (or `schema`: the files that
    describe a user's own folder) → (name, SHA-256) of each file, with "" for a file that cannot be read. `failed`:
    key → reason why the source is missing. `absent`: keys of sources whose files contain only texts of their siblings.
    `user_sources`: key → description, of the sources that are neither built in nor exported by `pipelines.knowledge`.
    `annotators`: key → the annotators, and their agreement, of the sources whose files name any.
    """

    stage: ClassVar[str] = "ingest"
    folder: ClassVar[str] = "examples"

    sources: dict[str, SourceFacts]
    raw: dict[str, dict[str, tuple[tuple[str, str], ...]]]
    splits: tuple[SplitRead, ...]
    failed: dict[str, str]
    absent: tuple[str, ...]
    user_sources: dict[str, UserSource]
    annotators: dict[str, Annotators] = {}


Place = tuple[int, int]
"""Number and window (-1: not cut) of an Example in its source and split."""

Names = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about the rows of a shard that passes all checks. `places`: `<key>/<split>` → the first and the last
    Example; Examples are in order.

    `negatives` and `positives` are the results of `validation.profile.negative_counts`, 0 for test rows. `labels` are
    the distinct labels of the layers of Examples, to be compared with the label sets that a later stage writes:
    (layer, label), for relations with the labels of head and tail, for events also with each role.
    """

    rows: int
    places: dict[str, tuple[Place, Place]]
    negatives: int = 0
    positives: int = 0
    labels: tuple[Names, ...] = ()


Bins = dict[str, Count]
"""Bin number, as a decimal string since it is a JSON key → count. Empty bins are left out."""


class TextHistograms(Stored, frozen=True):
    """Histogram of the `lengths` of texts in characters, in the bins of `pipelines.describe.lengths`."""

    lengths: Bins = {}


class InstructionHistograms(Stored, frozen=True):
    """Histograms of instructions: `lengths` of prompt and answer in characters, in the bins of TextHistograms;
    `positives` by number of positive labels (0, 1, 2, ...).
    """

    lengths: Bins = {}
    positives: Bins = {}


class LeakCounts(Stored, frozen=True):
    """Train and validation texts by the way in which they leak into a test split (`transforms.partial_leaks.LeakKind`).
    A text that is equal to a test text is dropped, the others if `clean.partial_leaks` says so.
    """

    equal: Count = 0
    contained: Count = 0
    near: Count = 0


class ExampleShard(Stored, frozen=True):
    """A shard of clean/. `number` counts the shards of examples/ in (key, split, file) order.

    `sha256` is the checksum of the file at `path` as it was written, `keys_sha256` that of the leakage keys of its
    texts. `facts` is null if a row may fail a check. `windows`: number of input windows. `kept`: counts of the rows of
    the shard. `rejected`: windows by reason. `crosses_window`: layer → annotations that no window contains.
    `same_text`: rows that were kept beside other rows with the same text. `leaks_into`: key of a source → texts that
    leak into its test split.
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
    leaks_into: dict[str, LeakCounts]
    histograms: TextHistograms


class Cleaned(StageResult, frozen=True):
    """Written by clean; read by all later stages except tokens, and by publishing. `shards` are sorted by number."""

    stage: ClassVar[str] = "clean"
    folder: ClassVar[str] = "clean"

    shards: tuple[ExampleShard, ...]


class Labelled(StageResult, frozen=True):
    """Written by labels; read by all later stages. `tasks`: source key → the tasks for which it has a label set."""

    stage: ClassVar[str] = "labels"
    folder: ClassVar[str] = "labels"

    tasks: dict[str, tuple[Task, ...]]


class Mined(StageResult, frozen=True):
    """Written by mine; read by the statistics. `hard_negatives`: mine, random, none, or the name of the user's
    dictionary.
    `model`: the name of the encoder, null if nothing was mined.
    """

    stage: ClassVar[str] = "mine"
    folder: ClassVar[str] = "hard_negatives"

    hard_negatives: str
    model: str | None


class InstructionCounts(Stored, frozen=True):
    """Counts of rows of data/ and of their Examples.

    `all_negative`: rows without a positive label. `with_hard_negatives`: rows with a hard negative from the dictionary.
    `cut`: prompts that were cut. `neighbour_pairs`: pairs of a positive label of an Example and one of its hard
    negatives. `neighbours_together`: those of these pairs that occur in one row. `positives_with_neighbour`: positive
    labels of Examples that have a neighbour in the dictionary. `positives_beside_neighbour`: those of them that occur
    in one row with a neighbour, be it positive or negative. The four are not counted for test and EEA. `hidden`:
    annotations of labels that are held out of these rows. A missing count is 0.
    """

    instructions: Count = 0
    examples: Count = 0
    all_negative: Count = 0
    with_hard_negatives: Count = 0
    cut: Count = 0
    neighbour_pairs: Count = 0
    neighbours_together: Count = 0
    positives_with_neighbour: Count = 0
    positives_beside_neighbour: Count = 0
    hidden: Count = 0


class InstructionShard(Stored, frozen=True):
    """A shard of data/. `sources`, `histograms` and `labels` are by source key; `labels` are those that the rows ask
    for, sorted. `facts` is null if a row may fail a check.
    """

    task: Task
    split: Split
    path: Inside
    rows: Count
    sha256: Sha256
    facts: Facts | None
    sources: dict[str, InstructionCounts]
    histograms: dict[str, InstructionHistograms]
    labels: dict[str, tuple[str, ...]] = {}


Layer = Annotated[str, Meta(pattern=rf"^({'|'.join(sorted(set(LAYER.values())))})\Z")]


class HeldOut(Stored, frozen=True):
    """What is held out of train and validation rows, by source key. `labels`: layer → names, sorted. `themes`: the
    theme of the source, if it is held out. `texts`: split → texts of clean/ that no row asks about for this reason.
    """

    labels: dict[str, dict[Layer, tuple[str, ...]]] = {}
    themes: dict[str, str] = {}
    texts: dict[str, dict[Split, Count]] = {}


class Instructed(StageResult, frozen=True):
    """Written by instruct; read by tokens, validate, the statistics, report, card, publishing and training. `shards`
    are sorted by path.
    """

    stage: ClassVar[str] = "instruct"
    folder: ClassVar[str] = "data"

    shards: tuple[InstructionShard, ...]
    held_out: HeldOut = HeldOut()


class TokenStratum(Stored, frozen=True):
    """Estimates for `rows` rows from a sample of `counted` rows (`pipelines.describe.token_estimate`).

    `prompt` and `answer`: tokens of all rows. `variance`: that of the estimate of their sum. `longest`: tokens of the
    longest row of the sample. `histogram`: rows per bin. `above`: context size → rows that are longer.
    `above_variance`: context size → variance of this estimate.
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
    """`contexts`: context sizes in tokens. `edges`: upper bounds of the bins of the histograms; the last bin has none.
    `by_source`: source key → task → split.
    """

    tokenizer: str
    contexts: tuple[int, ...]
    edges: tuple[int, ...]
    by_source: dict[str, dict[Task, dict[Split, TokenStratum]]]


class Tokenized(StageResult, frozen=True):
    """Written by tokens; read by the statistics. `tokens` is null if no tokenizer was given."""

    stage: ClassVar[str] = "tokens"
    folder: ClassVar[str] = "tokens"

    tokens: TokenCounts | None


class Validated(StageResult, frozen=True):
    """Written by validate after every suite has passed: it marks a build as ready for training."""

    stage: ClassVar[str] = "validate"
    folder: ClassVar[str] = "reports"


class Reported(StageResult, frozen=True):
    """Written by report."""

    stage: ClassVar[str] = "report"
    folder: ClassVar[str] = "reports/report"


class Carded(StageResult, frozen=True):
    """Written by card; read by publishing. `config`: the configuration of all stages, as `pipelines.config.Config`
    writes it. (`build.json` may already have the configuration of a later, partial build.)
    """

    stage: ClassVar[str] = "card"
    folder: ClassVar[str] = "card"

    config: dict[str, Any]


RESULTS: dict[str, type[StageResult]] = {
    form.stage: form
    for form in (Ingested, Cleaned, Labelled, Mined, Instructed, Tokenized, Validated, Reported, Carded)
}
"""Stage → type of its result, in the order in which the stages run."""

STAGES = tuple(RESULTS)


class BuildRecord(msgspec.Struct, frozen=True):
    """`build.json`, which marks the folder of a build: the configuration of its last build, by any IEForge version."""

    ieforge: dict[str, Any]


Result = TypeVar("Result", bound=StageResult)
