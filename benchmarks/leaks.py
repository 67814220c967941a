"""python -m benchmarks.leaks: plants leaks of each kind in generated texts; prints how many are reported, and the cost.

A tenth of the texts are test texts of one source, the others train texts of another; half are English, half Chinese.
`--templated` adds English texts that differ only in a name, a date and a figure.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from benchmarks import measure, records
from pipelines.build_folder import read_result
from schemas.manifests import RESULTS, Cleaned
from transforms.partial_leaks import LeakKind
from transforms.shards import read_shard
from transforms.shingles import jaccard, shingles

TEST_SHARE = 0.1
KINDS = ("within", "around", "near", "alike")
"""What is planted: a train text within a test text; a test text within a train text; a Jaccard index of 0.8 or more;
one from 0.5 to below 0.8, which is no leak.
"""

TEMPLATED = "templated"
"""The kind of the train texts of a template. Those whose Jaccard index with a test text is high enough are reported."""

LEAST = 0.8


def words_of(text: str, lang: str) -> list[str]:
    return text.split(" ") if lang == "en" else list(text)


def altered(random: Random, test: str, donor: str, lang: str, low: float, high: float) -> str:
    """The test text with some words of another, such that their Jaccard index is at least `low` and below `high`."""
    blank = " " if lang == "en" else ""
    words, others = words_of(test, lang), words_of(donor, lang)
    changed = list(words)
    while True:
        changed[random.randrange(len(words))] = random.choice(others)
        text = blank.join(changed)
        index = jaccard(shingles(text), shingles(test))
        if low <= index < high and text != test:
            return text
        if index < low:
            changed = list(words)
            changed[random.choice((0, -1))] = random.choice(others)
            text = blank.join(changed)
            if low <= jaccard(shingles(text), shingles(test)) < high and text != test:
                return text


def plant(random: Random, kind: str, train: str, test: str, lang: str) -> tuple[str, str]:
    """The train and the test text, changed so that one leaks into the other."""
    if kind == "within":
        cut = random.randrange(1, len(test) - 1)
        return train, test[:cut] + train + test[cut:]
    if kind == "around":
        cut = random.randrange(1, len(train) - 1)
        return train[:cut] + test + train[cut:], test
    low, high = (LEAST, 1.01) if kind == "near" else (0.5, LEAST)
    return altered(random, test, train, lang, low, high), test


def texts(lang: str, count: int, seed: int) -> Iterator[str]:
    return (record["text"] for record in records.records("NER", lang, ["thing"], count, seed))


def template_texts(count: int, seed: int) -> Iterator[str]:
    """Reports of 70 words, nearly all equal."""
    random = Random(seed)
    for _ in range(count):
        name = "".join(random.choices(("ber", "dal", "fen", "gar", "hol", "kem", "lor"), k=4)).title()
        year, day, sum_ = random.randrange(1950, 2020), random.randrange(1, 29), random.randrange(1_000, 9_999)
        yield (
            f"This annual report of the company {name} Holdings was prepared by the board of directors for the year "
            f"{year} in accordance with the rules of the exchange, and it was approved at the general meeting on day "
            f"{day} of the month; the revenue of the company was {sum_} thousand crowns, which the auditors have "
            "confirmed without any further remarks or objections to the statements of the board."
        )


def write(folder: Path, count: int, planted: int, templated: int = 0) -> dict[str, str]:
    """Writes the sources `train_en`, `test_en`, `train_zh` and `test_zh`; returns id of a train text → what is planted.

    The first train and test texts have the planted leaks, `planted` of each kind and language; the last English ones
    are the `templated` texts.
    """
    places: dict[str, str] = {}
    for lang in records.LANGS:
        random = Random(f"leaks {lang}")
        tests = round(count * TEST_SHARE / 2)
        lines = {}
        for split, number, seed in (("train", count // 2 - tests, 1), ("test", tests, 2)):
            place = folder / f"{split}_{lang}"
            place.mkdir(parents=True)
            (place / "source.yaml").write_text(f"task: NER\nlang: {lang}\n", encoding="utf-8")
            (place / "schema.json").write_text('["thing"]\n[]\n{}\n', encoding="utf-8")
            lines[split] = (place / f"{split}.json", texts(lang, number, seed))
        with (
            lines["train"][0].open("w", encoding="utf-8") as train,
            lines["test"][0].open("w", encoding="utf-8") as test,
        ):
            for number in range(planted * len(KINDS)):
                kind = KINDS[number % len(KINDS)]
                pair = plant(random, kind, next(lines["train"][1]), next(lines["test"][1]), lang)
                places[f"train_{lang}/train/{number}"] = kind
                for stream, text in zip((train, test), pair, strict=True):
                    stream.write(line(text))
            for split, stream in (("train", train), ("test", test)):
                stream.writelines(map(line, lines[split][1]))
            if lang == "en":
                reports = list(template_texts(templated, 3))
                cut = round(templated * TEST_SHARE)
                test.writelines(map(line, reports[:cut]))
                train.writelines(map(line, reports[cut:]))
                first = count // 2 - tests
                places |= {f"train_en/train/{first + n}": TEMPLATED for n in range(templated - cut)}
    return places


def line(text: str) -> str:
    return json.dumps({"text": text, "entity": []}, ensure_ascii=False) + "\n"


def reported(output: Path) -> dict[str, str]:
    """Id of a train text → kind of its leak, as the build reports it."""
    rows = [row for path in output.glob("leaks/*/*.parquet") for row in read_shard(str(path)).to_pylist()]
    return {row["id"]: row["kind"] for row in rows}


def compare(places: dict[str, str], leaks: dict[str, str], unplanted: int) -> dict:
    """By what is planted: number planted, and number reported as the kind of leak that it is."""
    kinds = dict(zip(KINDS, (LeakKind.CONTAINED, LeakKind.CONTAINED, LeakKind.NEAR, None), strict=True))
    kinds[TEMPLATED] = None
    planted: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for place, kind in places.items():
        at = f"{kind} {place.partition('/')[0].rpartition('_')[2]}"
        planted[at] += 1
        hits[at] += leaks.get(place) == kinds[kind] if kinds[kind] else place in leaks
    false = len(leaks.keys() - places.keys())
    return {
        "planted": {at: [hits[at], planted[at]] for at in sorted(planted)},
        "unplanted": [false, unplanted],
    }


def measure_build(folder: Path, count: int, planted: int, flags: Sequence[str], templated: int = 0) -> dict:
    """Builds up to the clean stage and returns the figures of that stage."""
    data, output = folder / "data", folder / "build"
    places = write(data, count, planted, templated)
    command = [sys.executable, "-m", "pipelines.build", "--data_root", str(data), "--output", str(output)]
    command += ["--hard_negatives", "none", "--only", "clean", *flags]
    samples = measure.run(command, folder / "build.log")
    shares = measure.by_stage(samples, output, RESULTS.values())
    rows = sum(shard.rows for shard in read_result(str(output), Cleaned).shards if shard.split != "test")
    figures = {"texts": count + templated, "stages": measure.shares_as_json(shares)}
    return figures | compare(places, reported(output), rows - len(places))


def main(flags: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000, help="number of texts (default 100,000)")
    parser.add_argument("--planted", type=int, default=500, help="leaks of each kind and language (default 500)")
    parser.add_argument("--templated", type=int, default=0, help="number of texts of one template (default 0)")
    arguments, build_flags = parser.parse_known_args(flags)
    if arguments.planted * len(KINDS) > arguments.texts * TEST_SHARE / 2:
        parser.error(f"--planted {arguments.planted} needs --texts {round(80 * arguments.planted)} or more")
    build_flags = build_flags or ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    with tempfile.TemporaryDirectory() as folder:
        figures = measure_build(Path(folder), arguments.texts, arguments.planted, build_flags, arguments.templated)
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
