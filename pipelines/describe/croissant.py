"""The statistics of a build and its shards → `croissant.json`: metadata after MLCommons' Croissant 1.0.

The format: docs.mlcommons.org/croissant/docs/croissant-spec.html. Every shard is a FileObject with its checksum, the
shards of a task are one RecordSet, and each column is a Field. A relative `contentUrl` is resolved from the file.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from pipelines.describe import citations, figures
from pipelines.sources import licences
from schemas.arrow import instruction_schema
from schemas.build_statistics import Statistics
from schemas.manifests import InstructionShard
from transforms import files

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context given in the specification, which requires it to be copied."""

COLUMNS = {
    "id": "id of the row: example, task and batch",
    "example_id": "id of the text, shared by all rows of the text",
    "text_sha256": "SHA-256 of the text, hex",
    "task": "NER, RE, SPO, EE, EET, EEA or KG",
    "source": "name of the dataset in published corpora",
    "lang": "code of the language (ISO 639)",
    "split": "train, validation or test",
    "instruction": "JSON: the prompt, the labels asked, the text",
    "output": "JSON: the gold answer; null in test rows",
    "label": "JSON: all gold annotations of the text; only in test rows",
    "labels": "the labels asked",
    "positives": "the labels asked that have an answer",
    "hard_negatives": "the labels asked that came from the dictionary of hard negatives",
    "form": "the form of answer that the prompt asks for: iepile, nan, triples, sentences or spans",
    "messages": "the turns of a chat: the prompt and, except in test rows, the answer",
}


@dataclass(frozen=True)
class ShardFile:
    """A published shard. `path`: relative to the folder of croissant.json. `size`: in bytes. `sha256`: in hex."""

    path: str
    size: int
    sha256: str


def shards_of(output: str, shards: Iterable[InstructionShard]) -> list[ShardFile]:
    """The files of shards of a build, with their sizes and the checksums recorded when they were written."""
    checksums = {shard.path: shard.sha256 for shard in shards}
    sizes = files.sizes(output, sorted(checksums))
    return [ShardFile(path, size, checksums[path]) for path, size in sizes.items()]


def render(statistics: Statistics, shards: Iterable[ShardFile], url: str | None = None) -> str:
    """The text of croissant.json. `url`: the address of the published corpus, None if it is not published."""
    shards = list(shards)
    about = list(statistics.about.values())
    tasks = {task: [shard for shard in shards if shard.path.split("/")[-2] == task] for task in statistics.instructions}
    content = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "ieforge-instructions",
        "description": (
            f"{figures.row_count(statistics.instructions):,} instructions for information extraction from "
            f"{len(statistics.sources)} datasets, with gold answers and hard negatives. See README.md."
        ),
        **({"url": url} if url else {}),
        "version": statistics.build.version,
        "inLanguage": sorted({facts.lang for facts in about}),
        "license": licences.hub_identifiers(about),
        "keywords": ["information extraction", "instruction tuning"],
        "citeAs": citations.bibtex(facts.citation for facts in about),
        "distribution": [file_object(shard) for shard in shards]
        + [file_set(task, task_shards) for task, task_shards in tasks.items()],
        "recordSet": [record_set(task, instruction_schema(figures.optional_columns(statistics))) for task in tasks],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def file_object(shard: ShardFile) -> dict:
    return {
        "@type": "cr:FileObject",
        "@id": shard.path,
        "name": shard.path,
        "contentUrl": shard.path,
        "contentSize": f"{shard.size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": shard.sha256,
    }


def file_set(task: str, shards: Iterable[ShardFile]) -> dict:
    return {
        "@type": "cr:FileSet",
        "@id": f"{task}-shards",
        "name": f"{task}-shards",
        "description": f"the shards of {task}, all splits",
        "encodingFormat": "application/x-parquet",
        "includes": [shard.path for shard in shards],
    }


def record_set(task: str, columns: pa.Schema) -> dict:
    return {
        "@type": "cr:RecordSet",
        "@id": task,
        "name": task,
        "description": f"one row per instruction of {task}; the split is in the column split",
        "key": {"@id": f"{task}/id"},
        "field": [field(task, column) for column in columns],
    }


def field(task: str, column: pa.Field) -> dict:
    repeated = pa.types.is_list(column.type)
    source = {"fileSet": {"@id": f"{task}-shards"}, "extract": {"column": column.name}}
    parts = column.type.value_type if repeated and pa.types.is_struct(column.type.value_type) else ()
    return {
        "@type": "cr:Field",
        "@id": f"{task}/{column.name}",
        "name": column.name,
        "description": COLUMNS[column.name],
        **({} if parts else {"dataType": "sc:Text"}),
        **({"repeated": True} if repeated else {}),
        **({"subField": [part_field(task, column.name, part.name, source) for part in parts]} if parts else {}),
        **({} if parts else {"source": source}),
    }


def part_field(task: str, column: str, part: str, source: dict) -> dict:
    return {
        "@type": "cr:Field",
        "@id": f"{task}/{column}/{part}",
        "name": part,
        "dataType": "sc:Text",
        "source": {**source, "transform": {"jsonPath": part}},
    }
