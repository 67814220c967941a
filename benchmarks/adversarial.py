"""python -m benchmarks.adversarial: times readers and text steps on worst-case inputs of size 1×, 4× and 16×.

Each case is a function of a size n. Cases that take more than GROWTH times as long for 16 times the input are worse
than linear and are marked.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.adversarial_tool_files import TOOL_FILES
from hard_negatives.embed import lexical
from hard_negatives.evidence import category_path
from pipelines import sources
from pipelines.sources.user_forms import form_named
from schemas.arrow import examples_to_table
from schemas.example import Entity, Example, Mention, RawExample, Relation
from schemas.label import Label, OpenLabels, typed_label
from transforms import prompts
from transforms.ask import AskOptions, ask_spec
from transforms.batches import cut
from transforms.clean import low_quality, repair
from transforms.decontaminate import leakage_key
from transforms.deduplicate import decide, unite
from transforms.files import File
from transforms.formats import unified
from transforms.instruct import instruction_table
from transforms.normalize import normalize
from transforms.sentences import sentences
from transforms.windows import windows

SIZES = (1, 4, 16)
GROWTH = 64
"""Limit for 16 times the input: linear growth is 16, quadratic 256; the margin is for caches and allocation."""
FLOOR_S = 0.02
"""Shorter times are too noisy to measure growth."""

Files = dict[str, str]
"""Name → content."""

BIOC = "<collection><document>{}</document></collection>"
GENIA = "<set><article><abstract><sentence>{}</sentence></abstract></article></set>"
ACE = "<source_file><document DOCID='d'></document></source_file>"


def pubtator_block(n: int) -> str:
    """A PubTator block with n mentions of two concepts, and n relations between the two concepts."""
    rows = "".join(f"1\t{2 * i}\t{2 * i + 1}\ta\tChemical\tC{i % 2}\n" for i in range(n))
    return f"1|t|{'a ' * n}\n1|a|b\n{rows}" + "1\tCID\tC0\tC1\n" * n + "\n"


def bioc(n: int) -> str:
    infons = "".join(f"<infon key='{key}'>C{{}}</infon>" for key in ("type", "MESH"))
    mentions = "".join(
        f"<annotation>{infons.format(i % 2, i % 2)}<location offset='{2 * i}' length='1'/><text>a</text></annotation>"
        for i in range(n)
    )
    ends = "<infon key='relation'>CID</infon><infon key='Chemical'>C0</infon><infon key='Disease'>C1</infon>"
    passage = f"<passage><offset>0</offset><text>{'a ' * n}</text>{mentions}</passage>"
    return BIOC.format(f"<id>1</id>{passage}{f'<relation>{ends}</relation>' * n}")


def coordination(n: int) -> str:
    """A coordination whose 40 fragments match the beginning of its long lex in many ways, but never all of it."""
    fragments = "<cons lex='a*'>a</cons> " * 40
    return GENIA.format(f"<cons lex='(AND {'a' * n}b c)' sem='(AND G#x G#y)'>{fragments}</cons>")


def conjuncts(n: int) -> str:
    """A coordination with as many conjuncts as fragments."""
    fragments = "<cons lex='a*'>a</cons> " * n
    return GENIA.format(f"<cons lex='(AND {'ab ' * n})' sem='(AND {'G#x ' * n})'>{fragments}</cons>")


def brat_lines(n: int) -> Files:
    """A text with as many CRLFs as mentions; the offsets count a CRLF as two characters."""
    marks = "".join(f"T{i}\tSubject {3 * i} {3 * i + 1}\ta\n" for i in range(n))
    return {"d.txt": "a\r\n" * n, "d.ann": f"{marks}E1\tAdverse_event:T0 Subject:T1\nE2\tAdverse_event:T0 Subject:T2\n"}


def sub_arguments(n: int) -> Files:
    """Two events with n arguments, and n sub-arguments that only their offsets assign to these arguments."""
    mains = "".join(f"T{i}\tSubject {2 * i} {2 * i + 1}\ta\n" for i in range(n))
    parts = "".join(f"T{n + i}\tAge {2 * i} {2 * i + 1}\ta\n" for i in range(n))
    ends = " ".join(f"Subject:T{i}" for i in range(n))
    return {"d.txt": "a " * n, "d.ann": f"{mains}{parts}E1\tAdverse_event:T0 {ends}\nE2\tAdverse_event:T0 {ends}\n"}


def table_row(n: int) -> str:
    row = ",".join(("b " * n, "a " * n, "a " * n + " country", "c " * n))
    return f"passages,entities,entity_relations,answers\n{row}\n"


READERS: dict[str, tuple[str, int, int, Callable[[int], Files]]] = {
    # name: (source, form, size at 1×, files of a size)
    "ace, < without >": ("ace2005", 0, 4_000, lambda n: {"d.sgm": f"<DOC>a</DOC>{'<' * n}", "d.apf.xml": ACE}),
    "ace, blanks": ("ace2005", 0, 4_000, lambda n: {"d.sgm": f"<DOC>a{' ' * n}b</DOC>", "d.apf.xml": ACE}),
    "ace, line ends": ("ace2005", 0, 4_000, lambda n: {"d.sgm": "<DOC>" + " \n" * n + "</DOC>", "d.apf.xml": ACE}),
    "ace, references": ("ace2005", 0, 2_000, lambda n: {"d.sgm": "<DOC>" + "&a" * n + "</DOC>", "d.apf.xml": ACE}),
    "bioc, one concept": ("bc5cdr", 1, 200, lambda n: {"d.xml": bioc(n)}),
    "blocks, blanks": ("semeval_re", 0, 4_000, lambda n: {"f": f'1\t"<e1>a{" " * n}x</e1> <e2>b</e2>"\nOther\n'}),
    "blocks, quotes": ("semeval_re", 0, 4_000, lambda n: {"f": "1\t" + '"\t' * n + "x\nOther\n"}),
    "brat, CRLF": ("phee", 1, 2_000, brat_lines),
    "brat, sub-arguments": ("phee", 1, 200, sub_arguments),
    "chemdner, mentions": (
        *("bc4chemd", -1, 1_000),
        lambda n: {
            "d.abstracts.txt": f"1\t{'a ' * n}\tb\n",
            "d.annotations.txt": "".join(f"1\tT\t{2 * i}\t{2 * i + 1}\ta\tX\n" for i in range(n)),
        },
    ),
    "columns, one sentence": ("conll2003", 0, 2_000, lambda n: {"train.txt": "a NN NN B-PER\n" * n}),
    "columns, one line": ("conll2003", 0, 4_000, lambda n: {"train.txt": "a " * n + "\n"}),
    "columns, blank lines": ("conll2003", 0, 2_000, lambda n: {"train.txt": "a NN NN O\n" + " \n" * n}),
    "conll2012, brackets": ("ontonotes", 0, 4_000, lambda n: {"f": f"d 0 0 a NN * - - - - {'(A' * n}( -\n"}),
    "conll2012, nested": ("ontonotes", 0, 500, lambda n: {"f": "d 0 0 a NN * - - - - (A* -\n" * n}),
    "genetag, mentions": (
        *("bc2gm", 0, 1_000),
        lambda n: {"train.in": f"P1 {'a ' * n}\n", "GENE.eval": f"P1|0 {n - 1}|b\n" * n},
    ),
    "genia, coordination": ("genia_ner", 0, 500, lambda n: {"f.xml": coordination(n)}),
    "genia, terms": (
        *("genia_ner", 0, 1_000),
        lambda n: {"f.xml": GENIA.format("<cons lex='a' sem='G#x'>a</cons> b " * n)},
    ),
    "genia, conjuncts": ("genia_ner", 0, 100, lambda n: {"f.xml": conjuncts(n)}),
    "inline, nested": ("boson", 0, 500, lambda n: {"f.txt": "{{time:a" * n + "}}" * n + "\n"}),
    "inline, marks": ("boson", 0, 2_000, lambda n: {"f.txt": "a{{time:b}}" * n + "\n"}),
    "inline, open marks": ("ontonotes", 1, 2_000, lambda n: {"f.name": '<ENAMEX TYPE="A" ' * n + "\n"}),
    "inline, chunks": ("msra", 1, 4_000, lambda n: {"train1.txt": "a/" * n + "\n"}),
    "json array, objects": ("nyt", 0, 1_000, lambda n: {"f.json": "[" + '{"sentText": "a b"},\n' * n + "{}]"}),
    "json array, blanks": ("nyt", 0, 4_000, lambda n: {"f.json": "[" + " \n" * n + "{}]"}),
    "json groups, rows": (
        *("fewrel", 0, 500),
        lambda n: {"train_wiki.json": '{"P931": [' + '{"tokens": ["a"], "h": ["a", "", []]},\n' * n + "{}]}"},
    ),
    "pipes, one letter": ("ade_corpus", 0, 4_000, lambda n: {"DRUG-AE.rel": one_letter(n)}),
    "pubtator, one concept": ("bc5cdr", 0, 500, lambda n: {"f.PubTator.txt": pubtator_block(n)}),
    "relation columns": ("conll2004", -1, 1_000, lambda n: {"f.corp": "".join(map(relation_line, range(n)))}),
    "table, quotes": ("wiki_zsl", 2, 4_000, lambda n: {"val_data_1.csv": 'passages,"' + '""' * n + "\n"}),
    "tagged rows, tags": ("coae2016", 0, 4_000, lambda n: {"f.txt": "<e1" * n + "\tcr1\n"}),
    "token pairs, numbers": (
        *("fewrel", 0, 1_000),
        lambda n: {
            "train_wiki.json": json.dumps(
                {"P931": [{"tokens": ["a"] * n, "h": ["a", "", [list(range(n))]], "t": ["a", "", [list(range(n))]]}]}
            )
        },
    ),
    "token spans, sentences": (
        *("scierc", 0, 1_000),
        lambda n: {"f.json": json.dumps({"sentences": [["a"]] * n, "ner": [[[i, i, "Task"]] for i in range(n)]})},
    ),
    "weibo, emoji halves": ("weibo_ner", 1, 1_000, lambda n: {"f": "a\tO\n" * n}),
    "table, words": ("wiki_zsl", 2, 1_000, lambda n: {"val_data_1.csv": table_row(n)}),
}


def read_tool_file(form: str, content: str) -> None:
    """Reads all records of a file in the format of an annotation tool, and normalizes them."""
    labels = OpenLabels()
    with tempfile.TemporaryDirectory() as folder:
        name = f"f{form_named(form).suffixes[0]}"
        Path(folder, name).write_text(content, encoding="utf-8", newline="")
        for record in form_named(form).read([File(f"{folder}/{name}", name)]):
            if isinstance(record, RawExample):
                normalize(record, labels, labels, labels, {})


def one_letter(n: int) -> str:
    """A sentence that repeats one letter; both mentions are its first half."""
    half = "a" * (n // 2)
    return f"1|{'a' * n}|{half}|0|{len(half)}|{half}|0|{len(half)}\n"


def relation_line(number: int) -> str:
    return f"0\tPeop\t{number}\tO\tNN\ta\tO\tO\tO\n"


def example(text: str, lang: str = "en", **layers) -> Example:
    known = {"entities": None, "relations": None, "events": None} | layers
    return Example("made/train/0", "Made", "train", lang, text, ("NER", "RE"), **known)


def entities(text: str, every: int) -> tuple[Entity, ...]:
    starts = range(0, len(text) - every, every)
    return tuple(Entity("X", Mention(text[at : at + every], ((at, at + every),))) for at in starts)


def crossing(n: int) -> Example:
    text = "Ann met Bo. " * n
    ends = [Mention("Ann", ((12 * i, 12 * i + 3),)) for i in range(n)]
    return example(text, relations=tuple(Relation("met", one, ends[-1 - i]) for i, one in enumerate(ends)))


def typed(n: int) -> list[Label]:
    return [typed_label(f"a{i}", "of", f"b{i}") for i in range(n)]


def ask_all(n: int) -> None:
    options = AskOptions(labels_without_positive=-1, negative_ratio=n)
    spec = ask_spec("SPO", typed(n), None, prompts.load(), options)
    instruction_table(examples_to_table([example("a", relations=())]), spec)


def split_schema(n: int) -> None:
    names = [f"type_{i}" for i in range(n)]
    unified.split_typed([f"a_{name}_b" for name in names], names, "schema.json:1")


STEPS: dict[str, tuple[int, Callable[[int], object]]] = {
    # name: (size at 1×, function that runs the step at a size)
    "windows, no sentence end": (20_000, lambda n: windows(example("word " * n), 1_000)),
    "windows, no blank": (40_000, lambda n: windows(example("a" * n), 1_000)),
    "windows, mentions side by side": (
        *(4_000, lambda n: windows(example("ab" * n, entities=entities("ab" * n, 2)), 1_000)),
    ),
    "sentences, Chinese": (4_000, lambda n: sentences("天下。" * n, "zh")),
    "windows, open quotes": (8_000, lambda n: windows(example("“" * n), 1_000)),
    "windows, blank lines": (2_000, lambda n: windows(example("a.\n\n" * n), 200)),
    "windows, relations that cross": (500, lambda n: windows(crossing(n), 200)),
    "repair, marks on one letter": (2_000, lambda n: repair(example("a" + "\u0301\u0323" * n))),
    "repair, controls": (20_000, lambda n: repair(example("\x00\r\n" * n))),
    "repair, Hangul": (10_000, lambda n: repair(example("\u1112\u1161\u11ab" * n))),
    "low quality": (20_000, lambda n: low_quality(example("\u0301!" * n))),
    "leakage key, marks on one letter": (2_000, lambda n: leakage_key("a" + "\u0301\u0323" * n)),
    "duplicates, contradictions": (
        *(2_000, lambda n: decide(((i, i, [(b"place", f"{i}".encode())]) for i in range(n)), "unite")),
    ),
    "unite, one text": (
        *(2_000, lambda n: unite(RawExample("f:1", "a b", entities("a" * 9, i % 8 + 1)) for i in range(n))),
    ),
    "cut, one predicate": (1_000, lambda n: cut(typed(n), 4)),
    "cut, one predicate, one batch": (1_000, lambda n: cut(typed(n), -1)),
    "cut, names": (2_000, lambda n: cut([Label(f"{i}") for i in range(n)], 6)),
    "ask, all labels": (1_000, ask_all),
    "typed schema": (500, split_schema),
    "label path": (2_000, lambda n: category_path(["a/" * n])),
    "lexical vector": (5_000, lambda n: lexical(["ab" * n])),
}


def read(key: str, form: int, files: Files) -> None:
    """Reads all records of the files with a form of the source, and normalizes them."""
    source = sources.load(key if key in sources.keys() else f"{key}_0")
    maps = source.entity_labels, source.relation_labels, source.event_labels, source.role_names
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_text(content, encoding="utf-8", newline="")
        for record in source.forms[form].read([File(f"{folder}/{name}", name) for name in files]):
            if isinstance(record, RawExample):
                normalize(record, *maps)


def cases() -> dict[str, tuple[int, Callable[[int], object]]]:
    """Name → (size at 1×, function that runs the case at a size)."""

    def reading(key: str, form: int, make: Callable[[int], Files]) -> Callable[[int], None]:
        return lambda n: read(key, form, make(n))

    def reading_tool_file(form: str, make: Callable[[int], str]) -> Callable[[int], None]:
        return lambda n: read_tool_file(form, make(n))

    readers = {name: (size, reading(key, form, make)) for name, (key, form, size, make) in READERS.items()}
    tool_files = {name: (size, reading_tool_file(form, make)) for name, (form, size, make) in TOOL_FILES.items()}
    return readers | tool_files | STEPS


def seconds(run: Callable[[int], object], n: int) -> float:
    """Processor seconds of `run(n)`."""
    start = time.process_time()
    run(n)
    return time.process_time() - start


def is_linear(first: float, last: float) -> bool:
    """Whether the times at 1× and at 16× are consistent with linear growth."""
    return last <= GROWTH * max(first, FLOOR_S)


def main(flags: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--scale", type=float, default=4.0, help="factor for the sizes that the tests use; default: 4")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    arguments = parser.parse_args(flags)
    failures = 0
    print(f"{'case':34}{'n':>9}" + "".join(f"{f'{times}×':>9}" for times in SIZES) + f"{'growth':>9}")
    for name, (size, run) in cases().items():
        if arguments.only not in name:
            continue
        n = int(size * arguments.scale)
        timings = [seconds(run, n * times) for times in SIZES]
        linear = is_linear(timings[0], timings[-1])
        failures += not linear
        growth = timings[-1] / max(timings[0], 1e-4)
        mark = "" if linear else "  worse than linear"
        print(f"{name:34}{n:9,}" + "".join(f"{timing:9.3f}" for timing in timings) + f"{growth:9.1f}{mark}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
