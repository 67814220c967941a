"""Generates files of several dataset formats, of a given size, in the folders of sources that read these formats."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from random import Random

from benchmarks import records

BYTES_PER_RECORD = 500
"""Approximate size of a record in the unified format."""

Named = tuple[int, int, str]
"""Start and end of a mention, in tokens, and its label."""


def tokens(random: Random, lang: str, labels: tuple[str, ...], least: int, most: int) -> tuple[list[str], list[Named]]:
    """`least` to `most` random tokens, and mentions of one to three tokens, about one per eight tokens, in order."""
    words = random.choices(VOCABULARY[lang], k=random.randint(least, most))
    mentions, at = [], random.randint(0, 12)
    while at + 3 < len(words):
        end = at + random.randint(1, 3)
        mentions.append((at, end, random.choice(labels)))
        at = end + random.randint(1, 12)
    return words, mentions


VOCABULARY = {"en": records.words(Random("words"), "en", 20_000, 3), "zh": list(records.CHARACTERS)}


def spots(words: list[str], mentions: list[Named]) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, label, mention) of each mention; offsets count characters of the words joined by blanks."""
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word) + 1)
    for start, end, label in mentions:
        yield starts[start], starts[end] - 1, label, " ".join(words[start:end])


def columns(random: Random) -> str:
    """A sentence of CoNLL-2003: token, part of speech, chunk, IOB2 tag."""
    words, mentions = tokens(random, "en", ("PER", "LOC", "ORG", "MISC"), 4, 40)
    tags = bio(len(words), mentions)
    return "".join(f"{word} NN I-NP {tag}\n" for word, tag in zip(words, tags, strict=True)) + "\n"


def characters(random: Random) -> str:
    """A sentence of MSRA: character, IOB2 tag."""
    words, mentions = tokens(random, "zh", ("PER", "LOC", "ORG"), 10, 90)
    tags = bio(len(words), mentions)
    return "".join(f"{word} {tag}\n" for word, tag in zip(words, tags, strict=True)) + "\n"


def bio(length: int, mentions: list[Named]) -> list[str]:
    tags = ["O"] * length
    for start, end, label in mentions:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


def abstract(random: Random) -> str:
    """A document of NCBI Disease in PubTator format."""
    number = random.randint(1_000_000, 9_999_999)
    words, mentions = tokens(random, "en", ("SpecificDisease", "DiseaseClass", "Modifier"), 150, 300)
    cut = 12
    head, body = " ".join(words[:cut]), " ".join(words[cut:])
    lines = [f"{number}|t|{head}", f"{number}|a|{body}"]
    for start, end, label, mention in spots(words, mentions):
        lines.append(f"{number}\t{start}\t{end}\t{mention}\t{label}\tD{start:06}")
    return "\n".join((*lines, "", ""))


def entities(random: Random) -> tuple[str, str]:
    """Text and annotations of a document of AnatEM."""
    words, mentions = tokens(random, "en", ("Organ", "Cell", "Cancer", "Tissue"), 150, 300)
    spotted = enumerate(spots(words, mentions), 1)
    lines = [f"T{n}\t{label} {start} {end}\t{mention}\n" for n, (start, end, label, mention) in spotted]
    return " ".join(words) + "\n", "".join(lines)


def event(random: Random) -> tuple[str, str]:
    """Text and annotations of a sentence of PHEE: an event with its trigger and two arguments."""
    words = random.choices(VOCABULARY["en"], k=random.randint(12, 40))
    mentions = [(0, 2, "Subject"), (3, 4, "Adverse_event"), (5, 7, "Treatment")]
    spotted = enumerate(spots(words, mentions), 1)
    lines = [f"T{n}\t{label} {start} {end}\t{mention}\n" for n, (start, end, label, mention) in spotted]
    return " ".join(words) + "\n", "".join(lines) + "E1\tAdverse_event:T2\n"


FILES: dict[str, Callable[[Random], str]] = {
    "conll2003/eng.train": columns,
    "msra/msra_train_bio": characters,
    "ncbi_disease/NCBItrainset_corpus.txt": abstract,
}
PAIRS: dict[str, Callable[[Random], tuple[str, str]]] = {"anatem/train": entities, "phee/train": event}
"""Folder → a function that generates a text and its annotations: these corpora consist of many small files."""


def write(folder: Path, megabytes: float, seed: int = 42) -> None:
    """Writes about `megabytes` of each of FILES and PAIRS, and of unified records (relations), below `folder`."""
    for name, generate in FILES.items():
        random, size = Random(f"{name} {seed}"), 0
        path = folder / name
        path.parent.mkdir(parents=True)
        with path.open("w", encoding="utf-8") as file:
            while size < megabytes * 1e6:
                text = generate(random)
                file.write(text)
                size += len(text.encode())
    for name, pair in PAIRS.items():
        random, size, numbers = Random(f"{name} {seed}"), 0, count()
        path = folder / name
        path.mkdir(parents=True)
        while size < megabytes * 1e6:
            stem = f"doc-{next(numbers):06}"
            for end, text in zip((".txt", ".ann"), pair(random), strict=True):
                (path / f"{stem}{end}").write_text(text, encoding="utf-8")
                size += len(text)
    records.write(folder, "RE", round(megabytes * 1e6 / BYTES_PER_RECORD), 49, seed)
