"""`reports/familiarity.json`: how familiar the labels that test rows ask for are from training.

Validate writes it (`hard_negatives.familiarity`); the statistics of a build sum it up.
"""

from typing import Literal

from schemas.json_values import Count
from schemas.manifests import Stored, Task

PATH = "reports/familiarity.json"
"""The path of the report in the folder of a build."""

Familiarity = Literal["seen", "near", "unseen"]
"""Whether train rows ask for a label of the same name, for one that is similar, or for neither."""


class TrainingLabel(Stored, frozen=True):
    """A label that train rows ask for. `similarity` to the label in question: 1 if the names are equal, else the cosine
    of their centred vectors. `annotations` in the train splits of `sources`, the keys of the sources that ask for it.
    """

    label: str
    similarity: float
    annotations: Count
    sources: tuple[str, ...]


class LabelFamiliarity(Stored, frozen=True):
    """A label that test rows of the source `key` ask for. `annotations` in its test split. `held_out`: of its training.
    `nearest`: the most similar labels of the same task, one of the same name first.
    """

    key: str
    task: Task
    label: str
    familiarity: Familiarity
    held_out: bool
    annotations: Count
    nearest: tuple[TrainingLabel, ...]


class FamiliarityReport(Stored, frozen=True):
    """`model`: the name of the encoder. `near`: the least similarity of a label that is near. `labels` are sorted by
    source and task, held-out ones first, then by name.
    """

    model: str
    near: float
    labels: tuple[LabelFamiliarity, ...]
