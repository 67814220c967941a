"""The settings of a build, with their types, ranges and defaults."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hard_negatives.kinds import DEFAULT, KINDS
from schemas import answer_form
from schemas.errors import ConfigError
from schemas.example import TASKS
from transforms import settings
from transforms.deduplicate import SameText
from transforms.settings import NUMBER, Settings

RECIPES = Path(__file__).parent / "recipes"
SAMPLES = Path(__file__).parent / "samples"


def not_zero(value: int) -> int:
    if not value:
        raise ValueError("must be -1 or at least 1, not 0")
    return value


def form_name(value: str) -> str:
    if value not in answer_form.FORMS:
        raise ValueError(f"must be one of {', '.join(answer_form.FORMS)}")
    return value


Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63), NUMBER]
Count = Annotated[int, Field(ge=0, lt=2**63), NUMBER]
Positive = Annotated[int, Field(gt=0, lt=2**63), NUMBER]
Share = Annotated[float, Field(ge=0, le=1), NUMBER]
Labels = Annotated[int, Field(ge=-1, le=2**31 - 1), NUMBER, AfterValidator(not_zero)]
"""A number of labels, or -1 for all. It must fit into the 32-bit integers of Arrow columns."""
FormName = Annotated[str, AfterValidator(form_name)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ingest(Section):
    """Reading of the source files.

    `collapse`: keys of sources whose fine-grained entity labels are replaced by the one label of the published dataset.
    `limit`: maximum number of examples per source and split. `max_reject_rate`: a source with a larger share of bad
    records fails.
    """

    max_reject_rate: Share = 0.02
    collapse: tuple[str, ...] = ()
    limit: Positive | None = None
    examples_per_shard: Positive = 10_000


class Clean(Section):
    """Cleaning.

    `max_chars`: length in code points above which a document is cut into windows. `same_text`: how to treat rows of one
    split that have the same text and different annotations. `partial_leaks`: whether train and validation texts are
    dropped or only counted if they lie within a test text, contain one, or are similar to one; `leak_words` is the
    fewest words (or letters of a script without blanks) of such texts, `leak_jaccard` the least Jaccard index of
    similar texts (docs/cleaning.md).
    """

    max_chars: Annotated[int, Field(ge=100, lt=2**63), NUMBER] = 2000
    same_text: SameText = "unite"
    partial_leaks: Literal["report", "drop"] = "report"
    leak_words: Annotated[int, Field(ge=3, lt=2**63), NUMBER] = 10
    leak_jaccard: Annotated[float, Field(ge=0.5, le=1), NUMBER] = 0.8


Pairs = dict[Literal[TASKS], dict[str, dict[str, tuple[str, ...]]]]
"""Task → source (key or published name) → label → labels."""


class Mine(Section):
    """Hard negatives.

    `hard_negatives`: `mine`, `none`, or the path of a dictionary file or folder. `evidence`: the kinds of evidence that
    they are mined from. `neighbours`: `random` replaces those that are mined for a label by as many labels of its set,
    drawn at random: the control of an experiment. `annotations`: number of sampled annotations per label (0: only the
    name and the description of a label are used). `pin` and `forbid`: pairs that are always or never hard negatives.
    `cache`: the folder for embeddings (null: `embeddings/` in the output). `accelerator`: a resource hint for the
    embedding step, for cluster runners that support such hints
    (`type:nvidia-tesla-t4;count:1;install-nvidia-driver`). `contrasts`: the file of `hard_negatives.describe` with a
    line per label (null: lines of the template). `confusions`: a file of predictions whose mistakes are evidence as
    well (null: none).
    """

    hard_negatives: str = "mine"
    embedding_model: str | None = None
    max_neighbours: Positive = 20
    neighbours: Literal["nearest", "random"] = "nearest"
    evidence: Annotated[tuple[Literal[KINDS], ...], Field(min_length=1)] = DEFAULT
    annotations: Count = 40
    pin: Pairs = {}
    forbid: Pairs = {}
    cache: str | None = None
    accelerator: str | None = None
    contrasts: str | None = None
    confusions: str | None = None


class Descriptions(Section):
    """Descriptions of labels in prompts; `transforms.ask.DescriptionShares` documents the shares. `contrast`: the line
    of `hard_negatives.contrast` takes the place of a description.
    """

    share: Share = 0.0
    drop: Share = 0.0
    mask: Share = 0.0
    contrast: bool = False


class Instruct(Section):
    """Prompts and their labels. `transforms.ask.AskOptions` documents the settings and checks their values."""

    tasks: Annotated[tuple[Literal[TASKS], ...], Field(min_length=1)] = TASKS
    split_num: dict[Literal[TASKS], Labels] = {}
    order: Literal["grouped", "shuffled", "sorted"] = "grouped"
    negative_ratio: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False), NUMBER] = 2.0
    labels_without_positive: Labels | None = None
    negative_share: Share = 1.0
    forms: dict[FormName, Share] = {answer_form.DEFAULT: 1.0}
    messages: bool = False
    prompts: str | None = None
    descriptions: Descriptions = Descriptions()
    instructions_per_shard: Positive = 100_000


class HoldOut(Section):
    """What train and validation rows leave out, so that test rows ask for something that a model has not seen.

    `labels`: names of labels, or `layer/name` (entities, relations, events). `share`: the share of all names of labels
    that is held out as well, drawn by a hash of layer and name. `themes`: themes of sources.
    """

    labels: tuple[str, ...] = ()
    share: Share = 0.0
    themes: tuple[str, ...] = ()


class Familiarity(Section):
    """How familiar test labels are from training. `near`: the least similarity of two labels that are near, from -1 to
    1; a label without similarity to another has about 0 (docs/hold_out.md).
    """

    near: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False), NUMBER] = 0.5


class Tokens(Section):
    """Token counts.

    `tokenizer`: a tokenizer.json, a folder or a Hub name (null: tokens are not counted). `sample`: approximate number
    of instructions to count (null: all).
    """

    tokenizer: str | None = None
    sample: Positive | None = 20_000


class Card(Section):
    """The dataset card. `title`: its heading and its name on the Hub (null: a general one)."""

    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Config(Section):
    """The settings of a build. `sources`: empty for all sources present. `seed`: seed of all random choices."""

    data_root: str | None = None
    sources: tuple[str, ...] = ()
    seed: Int64 = 42
    ingest: Ingest = Ingest()
    clean: Clean = Clean()
    mine: Mine = Mine()
    instruct: Instruct = Instruct()
    hold_out: HoldOut = HoldOut()
    familiarity: Familiarity = Familiarity()
    tokens: Tokens = Tokens()
    card: Card = Card()


def idle_settings(instruct: Instruct, tasks: Sequence[str]) -> Iterator[str]:
    """A line for each setting of prompts that changes nothing beside the others. `tasks`: those of the build."""
    shares = instruct.descriptions
    names = ", ".join(name for name in ("drop", "mask", "contrast") if getattr(shares, name))
    if names and not shares.share:
        yield f"instruct.descriptions.share is 0, so no prompt has descriptions and this changes nothing: {names}"
    elif shares.share and shares.mask and shares.drop == 1:
        yield "instruct.descriptions.drop is 1, so no label has a description, and mask changes nothing"
    for form, share in instruct.forms.items():
        if form != answer_form.DEFAULT and not share:
            yield f"instruct.forms.{form} is 0, so no row is asked in this form"
        elif not any(task in answer_form.FORM_TASKS[form] for task in tasks):
            yield f"instruct.forms.{form} serves none of the tasks {', '.join(tasks)}; their rows are asked as iepile"


def read_recipe(path: str | Path) -> Settings:
    """The settings in a recipe file. Raises ConfigError with file and line if it is not a valid recipe."""
    shipped = ", ".join(sorted(p.name for p in RECIPES.glob("*.yaml")))
    return settings.read(path, Config, f"--recipe takes a YAML file (bundled recipes: {shipped})")


def check(raw: Settings) -> Config:
    """The configuration with these settings. Raises ConfigError with the place, the key and the valid values."""
    return settings.check(Config, raw)


def from_record(content: Any, path: str, at: str) -> Config:
    """The configuration that a build recorded: `content` of the key `at` in the file `path`.

    Raises ConfigError if it is not a configuration of this version of IEForge.
    """
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join([at, *map(str, problem["loc"])])
        how = "is unknown" if problem["type"] == "extra_forbidden" else f"differs: {problem['msg'].lower()}"
        raise ConfigError(
            f"{path}: made by another version of IEForge, or damaged ({key} {how}); run the build again"
        ) from error
