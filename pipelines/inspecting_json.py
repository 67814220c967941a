"""The inspection of a folder or file of a user → one JSON object."""

from collections.abc import Sequence

import msgspec

from pipelines.describe import agreement
from pipelines.inspecting import Inspected, Inspection, next_command, recognised_as
from pipelines.sources.licences import publishing
from pipelines.sources.survey import LAYERS, Survey, first_problems, kinds
from pipelines.stages.ingest_result import facts


def as_json(inspection: Inspection, written: Sequence[str] = ()) -> dict:
    return {
        "path": inspection.path,
        "sources": [source_json(source) for source in inspection.sources],
        "not_read": [
            {"folder": folder, "files": list(names), "reason": reason} for folder, names, reason in inspection.not_read
        ],
        "written": list(written),
        "next": next_command(inspection),
    }


def source_json(source: Inspected) -> dict:
    about, survey = source.located.source, source.survey or Survey()
    annotators = survey.comparison.annotators()
    return {
        "key": source.located.key,
        "format": source.form.name if source.form else "",
        "recognised_as": recognised_as(source),
        "other_formats": [form.name for form in source.others],
        "files": [file.name for file in source.files],
        "problem": source.problem,
        "lang": about.lang,
        "lang_is_guess": about.lang_is_guess,
        "licence": str(about.licence),
        "licence_text": about.licence_text,
        "publishing": "".join(publishing(facts(about))),
        "splits": {
            split: {
                "texts": counts.texts,
                "annotated": counts.annotated,
                **{layer: counts.layers[layer] for layer in LAYERS if layer in survey.layers},
                "records_left_out": counts.left_out,
            }
            for split, counts in survey.splits.items()
        },
        "annotators": annotators.texts,
        "annotators_choice": annotators.choice,
        "annotations_not_chosen": survey.not_chosen,
        "agreement": agreement.as_json(annotators),
        "labels": {
            layer: {
                label: {"count": use.count, "examples": use.examples, "roles": list(use.roles)}
                for label, use in labels.items()
            }
            for layer, labels in survey.labels.items()
            if labels
        },
        "first_texts": [msgspec.to_builtins(record) for record in survey.first_texts],
        "problems": {kind: survey.problems[kind][0] for kind in kinds(survey.problems)},
        "first_problems": [
            {"kind": problem.kind, "place": problem.place, "detail": problem.detail}
            for problem in first_problems(survey.problems)
        ],
        "not_used": dict(survey.ignored),
    }
