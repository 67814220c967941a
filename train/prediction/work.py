"""A split of a corpus, or a user's texts and labels → the instruction rows to predict."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schemas import language
from schemas.answer_form import DEFAULT
from schemas.errors import ConfigError
from schemas.example import TASKS
from train import corpus
from train.prediction import labels, texts
from transforms import prompts
from transforms.ask import AskOptions, DescriptionShares
from transforms.draw import nth_key, seed_key

DESCRIBED = 'give a file such as {"label": "description"} or a label set of a build with --labels'


@dataclass(frozen=True)
class Work:
    """The rows to predict. `rows`: have the columns of `schemas.arrow.INSTRUCTIONS`; iteration fills in missing ids.
    `windows`: example id → window, for a user's texts. `label_order`: the seed for permuting the labels of each prompt.
    """

    rows: Sequence[Mapping]
    windows: Mapping[str, texts.Window] = field(default_factory=dict)
    label_order: int | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict]:
        return map(self._prepare, self.rows)

    def __getitem__(self, number: int) -> dict:
        return self._prepare(self.rows[number])

    def _prepare(self, row: Mapping) -> dict:
        row = {**row, "id": row["text_sha256"] if row["id"] is None else row["id"]}
        return row if self.label_order is None else permute_labels(row, self.label_order)


def from_split(
    data: str,
    split: str,
    *,
    tasks: Collection[str] | None = None,
    sources: Collection[str] | None = None,
    revision: str | None = None,
    task: str | None = None,
    limit: int | None = None,
    label_order: int | None = None,
) -> Work:
    """The rows of a split (see `train.corpus.rows`). `limit`: maximum number of texts per task and source."""
    rows = corpus.rows(data, split, tasks=tasks, sources=sources, revision=revision, task=task)
    corpus.refuse_absent(rows, data, split, sources)
    if limit is not None:
        names = rows.select_columns(["example_id", "id", "text_sha256", "task", "source"])
        rows = rows.select(_first_texts(names, limit))
    return Work(rows, {}, label_order)


def _first_texts(rows: Iterable[Mapping], limit: int) -> list[int]:
    seen: dict[tuple[str, str], set[str]] = {}
    kept = []
    for number, row in enumerate(rows):
        source_texts = seen.setdefault((row["task"], row["source"]), set())
        text = row["example_id"] or row["id"] or row["text_sha256"]
        if text in source_texts or len(source_texts) < limit:
            source_texts.add(text)
            kept.append(number)
    return kept


def from_texts(
    path: str,
    task: str,
    label_list: str,
    *,
    lang: str | None = None,
    prompt_file: str | None = None,
    split_num: int | None = None,
    max_chars: int = 2000,
    overlap_chars: int = 200,
    seed: int = 42,
    label_order: int | None = None,
    form: str = DEFAULT,
    descriptions: bool = False,
) -> Work:
    """The rows of a user's texts, made like the test rows of a build: all labels, `split_num` per prompt (None: as many
    as in training). Texts of more than `max_chars` are cut into windows that overlap by up to `overlap_chars`. `form`:
    the form of the answers (`transforms.answer_forms`). `descriptions`: all prompts describe their labels.

    Raises ConfigError for invalid texts, labels or prompts, for a form that does not serve the task, and for
    descriptions if no label has one.
    """
    if task not in TASKS:
        raise ConfigError(f"--task {task}: no such task; choose from {', '.join(TASKS)}")
    corpus.check_form(form, task, "--form")
    if not 0 <= overlap_chars < max_chars:
        raise ConfigError(f"--overlap_chars {overlap_chars}: must be at least 0 and less than --max_chars {max_chars}")
    code = None if lang is None else language.code(lang)
    if lang is not None and code is None:
        raise ConfigError(language.problem("--lang", lang))
    requested = labels.read(label_list, task)
    if descriptions and task != "SPO" and not any(text for label in requested for text in label.descriptions):
        raise ConfigError(f"--descriptions: {label_list} describes no label; {DESCRIBED}")
    documents = texts.read(path, task, code)
    langs = sorted({document.lang for document in documents})
    wording = {DEFAULT: {}, form: prompts.load(prompt_file, (task,), langs, form)}
    options = AskOptions(
        split_num={} if split_num is None else {task: split_num},
        seed=seed,
        forms={form: 1.0},
        descriptions=DescriptionShares(1.0 if descriptions else 0.0),
    )
    windows = texts.windows(documents, max_chars, overlap_chars)
    return Work(texts.rows(windows, task, requested, wording, options), windows, label_order)


def permute_labels(row: Mapping, seed: int) -> dict:
    """The row with the labels of its prompt permuted by a hash of (seed, row id)."""
    content = json.loads(row["instruction"])
    key = seed_key(seed, row["id"], "label_order")
    order = sorted(range(len(content["schema"])), key=lambda number: nth_key(key, number))
    is_map = isinstance(content["schema"], dict)
    items = list(content["schema"].items() if is_map else content["schema"])
    content["schema"] = (dict if is_map else list)(items[number] for number in order)
    instruction = json.dumps(content, ensure_ascii=False)
    return {**row, "instruction": instruction, "labels": [row["labels"][number] for number in order]}


def keys(rows: Iterable[Mapping]) -> Iterator[str]:
    """Yields a unique key per row: its id. Rows of files in IEPile's format share the id of their text, so their key is
    a hash of the row with the number of its repetition.
    """
    seen: Counter = Counter()
    for row in rows:
        if row["example_id"] is not None:
            yield row["id"]
            continue
        content = "\0".join((row["task"], row["source"], row["instruction"]))
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        yield f"{digest}#{seen[digest]}"
        seen[digest] += 1


def number_rows(work: Work) -> tuple[dict[str, int], str]:
    """Key (see `keys`) → row number, and a hash of all prompts.

    Raises ConfigError if two rows have the same id.
    """
    numbers: dict[str, int] = {}
    prompts_hash = hashlib.sha256()

    def hashed() -> Iterator[dict]:
        for row in work:
            prompts_hash.update(f"{row['id']}\0{row['instruction']}\0".encode("utf-8", "surrogatepass"))
            yield row

    for number, key in enumerate(keys(hashed())):
        if numbers.setdefault(key, number) != number:
            raise ConfigError(f"two rows have the id {key!r}, which must be unique")
    return numbers, prompts_hash.hexdigest()[:16]
