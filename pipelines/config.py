"""The settings of a build, with their types, ranges and defaults."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hard_negatives.kinds import DEFAULT, KINDS
from schemas.errors import ConfigError
from schemas.example import TASKS
from transforms import settings
from transforms.deduplicate import SameText
from transforms.settings import Settings

RECIPES = Path(__file__).parent / "recipes"
SAMPLES = Path(__file__).parent / "samples"

Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[int, Field(gt=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]
Labels = Annotated[int, Field(ge=-1, le=2**31 - 1)]
"""A number of labels, with which whole columns are reckoned."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ingest(Section):
    """Reading. `collapse`: keys of sources whose fine entity labels become the one label they were published with."""

    max_reject_rate: Share = 0.02
    collapse: tuple[str, ...] = ()
    limit: Positive | None = None
    examples_per_shard: Positive = 10_000


class Clean(Section):
    """Cleaning. Documents above `max_chars` (code points) become windows. `same_text`: what becomes of rows of a split
    that annotate different things in one text (docs/cleaning.md).
    """

    max_chars: Annotated[int, Field(ge=100, lt=2**63)] = 2000
    same_text: SameText = "unite"


Pairs = dict[Literal[TASKS], dict[str, dict[str, tuple[str, ...]]]]
"""Task → source (key or published name) → label → labels."""


class Mine(Section):
    """Hard negatives: `mine`, `none`, or a dictionary's file or folder; what they are mined from; a user's own pairs.

    `annotations`: how many of each label are drawn as evidence (0: its name and description alone speak). `cache`: the
    folder that keeps embedded texts (null: `embeddings/` in the output). `accelerator`: a resource hint for the step
    that embeds, for a runner of a cluster that heeds hints (`type:nvidia-tesla-t4;count:1;install-nvidia-driver`).
    """

    hard_negatives: str = "mine"
    embedding_model: str | None = None
    max_neighbours: Positive = 20
    evidence: Annotated[tuple[Literal[tuple(KINDS)], ...], Field(min_length=1)] = DEFAULT
    annotations: Count = 40
    pin: Pairs = {}
    forbid: Pairs = {}
    cache: str | None = None
    accelerator: str | None = None


class Instruct(Section):
    """Asking: what `transforms.ask.AskOptions` documents, which also checks the values."""

    tasks: tuple[Literal[TASKS], ...] = TASKS
    split_num: dict[Literal[TASKS], Labels] = {}
    order: Literal["shuffled", "sorted"] = "shuffled"
    negative_ratio: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)] = 2.0
    labels_without_positive: Labels | None = None
    negative_share: Share = 1.0
    prompts: str | None = None
    instructions_per_shard: Positive = 100_000


class Tokens(Section):
    """Token counts. `tokenizer`: a tokenizer.json, a folder or a Hub name (null: none are counted). `sample`: about how
    many instructions are counted (null: all).
    """

    tokenizer: str | None = None
    sample: Positive | None = 20_000


class Config(Section):
    """One build. `sources` empty: all that are found. `seed` feeds every random choice."""

    data_root: str | None = None
    sources: tuple[str, ...] = ()
    seed: Int64 = 42
    ingest: Ingest = Ingest()
    clean: Clean = Clean()
    mine: Mine = Mine()
    instruct: Instruct = Instruct()
    tokens: Tokens = Tokens()


def read_recipe(path: str | Path) -> Settings:
    """The settings in a recipe file. Raises ConfigError with file and line where it holds none."""
    shipped = ", ".join(sorted(p.name for p in RECIPES.glob("*.yaml")))
    return settings.read(path, Config, f"--recipe takes a YAML file (shipped ones: {shipped})")


def check(given: Settings) -> Config:
    """The configuration of these settings. Raises ConfigError with the place, the key and what it may be."""
    return settings.check(Config, given)


def recorded(content: Any, path: str, at: str) -> Config:
    """The configuration that a build recorded in the file `path` under the key `at`.

    Raises ConfigError where it is none of this version's.
    """
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join([at, *map(str, problem["loc"])])
        how = "is unknown" if problem["type"] == "extra_forbidden" else f"is not as here: {problem['msg'].lower()}"
        raise ConfigError(
            f"{path}: made by another version of IEForge, or damaged ({key} {how}); run the build again"
        ) from error
