"""What a command line asks to predict → instruction rows: a split of a corpus, or a user's texts and labels."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.errors import ConfigError
from schemas.example import TASKS
from train import corpus
from train.prediction import labels, texts
from transforms import prompts
from transforms.ask import AskOptions
from transforms.draw import nth_key, seed_key


@dataclass(frozen=True)
class Work:
    """`rows`: with the columns of `schemas.arrow.INSTRUCTIONS`; all have ids. `windows`: example id → window, of a
    user's texts. `label_order`: the seed of another order of the labels within each prompt.
    """

    rows: Sequence[Mapping]
    windows: Mapping[str, texts.Window] = field(default_factory=dict)
    label_order: int | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict]:
        return map(self._ready, self.rows)

    def __getitem__(self, number: int) -> dict:
        return self._ready(self.rows[number])

    def _ready(self, row: Mapping) -> dict:
        row = {**row, "id": row["text_sha256"] if row["id"] is None else row["id"]}
        return row if self.label_order is None else reordered(row, self.label_order)


def of_split(
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
    """The rows of a split (`train.corpus.rows`); `limit`: texts of each task and source, all of their rows."""
    rows = corpus.rows(data, split, tasks=tasks, sources=sources, revision=revision, task=task)
    if limit is not None:
        names = rows.select_columns(["example_id", "id", "text_sha256", "task", "source"])
        rows = rows.select(_first_texts(names, limit))
    return Work(rows, {}, label_order)


def _first_texts(rows: Iterable[Mapping], limit: int) -> list[int]:
    seen: dict[tuple[str, str], set[str]] = {}
    kept = []
    for number, row in enumerate(rows):
        of_source = seen.setdefault((row["task"], row["source"]), set())
        text = row["example_id"] or row["id"] or row["text_sha256"]
        if text in of_source or len(of_source) < limit:
            of_source.add(text)
            kept.append(number)
    return kept


def of_texts(
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
) -> Work:
    """The rows of a user's texts, made as a build makes its test rows: all labels asked, `split_num` a prompt (None:
    as many as the task has in training). Texts above `max_chars` are cut into windows that overlap by `overlap_chars`.

    Raises ConfigError for texts, labels or prompts that cannot be used.
    """
    if task not in TASKS:
        raise ConfigError(f"--task {task}: no such task; there are {', '.join(TASKS)}")
    if not 0 <= overlap_chars < max_chars:
        raise ConfigError(f"--overlap_chars {overlap_chars}: must be from 0 to below --max_chars {max_chars}")
    asked = labels.read(label_list, task)
    documents = texts.read(path, task, lang)
    wording = prompts.load(prompt_file, (task,), sorted({document.lang for document in documents}))
    options = AskOptions(split_num={} if split_num is None else {task: split_num}, seed=seed)
    windows = texts.windows(documents, max_chars, overlap_chars)
    return Work(texts.rows(windows, task, asked, wording, options), windows, label_order)


def reordered(row: Mapping, seed: int) -> dict:
    """The row with the labels of its prompt in an order drawn by a hash of (seed, row id)."""
    content = json.loads(row["instruction"])
    key = seed_key(seed, row["id"], "label_order")
    order = sorted(range(len(content["schema"])), key=lambda number: nth_key(key, number))
    content["schema"] = [content["schema"][number] for number in order]
    instruction = json.dumps(content, ensure_ascii=False)
    return {**row, "instruction": instruction, "labels": [row["labels"][number] for number in order]}


def keys(rows: Iterable[Mapping]) -> Iterator[str]:
    """What tells rows apart, in their order: the id; for rows of files in IEPile's form, whose batches share the id of
    their text, a hash of the row, numbered where a row is repeated.
    """
    seen: Counter = Counter()
    for row in rows:
        if row["example_id"] is not None:
            yield row["id"]
            continue
        what = "\0".join((row["task"], row["source"], row["instruction"]))
        found = hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        yield f"{found}#{seen[found]}"
        seen[found] += 1


def numbered(work: Work) -> tuple[dict[str, int], str]:
    """Key (see `keys`) → number of the row, and a hash of all that is asked.

    Raises ConfigError where two rows have one id.
    """
    known: dict[str, int] = {}
    asked = hashlib.sha256()

    def hashed() -> Iterator[dict]:
        for row in work:
            asked.update(f"{row['id']}\0{row['instruction']}\0".encode("utf-8", "surrogatepass"))
            yield row

    for number, key in enumerate(keys(hashed())):
        if known.setdefault(key, number) != number:
            raise ConfigError(f"two rows have the id {key!r}, by which answers are told apart; ids must differ")
    return known, asked.hexdigest()[:16]
