"""The report on familiarity of a build → the familiarity of the labels that its test rows ask for."""

import os
from collections.abc import Mapping
from typing import TypeAlias

from schemas.example_id import ExampleId
from schemas.familiarity import PATH, FamiliarityReport
from train.scoring.predictions import Record
from transforms import files

UNKNOWN = "unknown"
"""The familiarity of a label that the report does not list, and of a row without the id of a build."""

Familiar: TypeAlias = Mapping[tuple[str, str, str], str]
"""Key of the source, task and label → `schemas.familiarity.Familiarity`."""

REMEDY = "give the folder of a finished build"


def report_path(path: str) -> str:
    """The report of the build in the folder `path`, or `path` itself if it is no folder."""
    return f"{path}/{PATH}" if os.path.isdir(path) else path


def read(path: str) -> Familiar:
    """Reads a report. Raises ConfigError if it is not one, MachineError if it cannot be read."""
    report = files.read_json(path, FamiliarityReport, REMEDY)
    return {(item.key, item.task, item.label): item.familiarity for item in report.labels}


def familiarity(record: Record, label: str, familiar: Familiar) -> str:
    """The familiarity of a label that a prompt about the text asks for."""
    example = ExampleId.match(record.id)
    return familiar.get((example.key, record.task, label), UNKNOWN) if example else UNKNOWN
