"""Forms of NER sources that the samples do not cover: which form is chosen, and its records."""

import pytest

from pipelines.sources import folder, load
from pipelines.sources.datasets import mit_restaurant, weibo_ner
from pipelines.sources.source_files import SourceFiles, find
from pipelines.stages.labels import label_set
from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import list_files
from transforms.normalize import normalize


def find_files(key: str, tmp_path, files: dict[str, str | bytes]) -> SourceFiles:
    """Writes files (name → content) of a source and returns the result of `find`."""
    for name, content in files.items():
        path = tmp_path / folder(key) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return find(load(key), list_files(str(tmp_path / folder(key))))


def read(key: str, source_files: SourceFiles, split: str) -> list[RawExample | BadRecord]:
    source = load(key)
    records = source_files.form.read(source_files.splits[split])
    return [
        normalize(record, source.entity_labels, {}, {}, {}) if isinstance(record, RawExample) else record
        for record in records
    ]


def pairs(example: RawExample) -> list[tuple[str, str]]:
    return [(entity.label, entity.mention.text) for entity in example.entities]


def names(source_files: SourceFiles) -> dict[str, list[str]]:
    return {split: [file.name for file in files] for split, files in sorted(source_files.splits.items())}


MTL = {"anatem": ("Anatomy", "anatomy"), "bc4chemd": ("Chemical", "chemical"), "ncbi_disease": ("Disease", "disease")}
MTL |= {"bc2gm": ("GENE", "gene"), "bc5cdr": ("Chemical", "Chemical")}


@pytest.mark.parametrize("key", MTL)
@pytest.mark.parametrize("tags", ["IOB", "IOBES"])
def test_sets_of_mtl_bioinformatics_are_read(key, tags, tmp_path):
    raw, label = MTL[key]
    end = "E" if tags == "IOBES" else "I"
    sentences = f"The\tO\nred\tB-{raw}\nthing\t{end}-{raw}\n.\tO\n\nNo\tO\n\n"
    files = {f"data/Set-{tags}/{name}.tsv": sentences for name in ("train", "devel", "test")}
    source_files = find_files(key, tmp_path, files | {f"data/BC5CDR-disease-{tags}/train.tsv": sentences})
    assert names(source_files) == {
        split: [f"data/Set-{tags}/{name}.tsv"]
        for split, name in (("test", "test"), ("train", "train"), ("validation", "devel"))
    }
    one, two = read(key, source_files, "test")
    assert (one.text, pairs(one), pairs(two)) == ("The red thing .", [(label, "red thing")], [])
    assert one.relations is None


@pytest.mark.parametrize("key", ["anatem", "bc4chemd", "ncbi_disease"])
def test_a_collapsed_form_has_only_the_collapsed_label(key, tmp_path):
    source_files = find_files(key, tmp_path, {"train.tsv": "a\tO\n"})
    source = load(key)
    assert source_files.form.collapsed
    fine = [label.name for label in label_set(key, source, "NER", [], False).labels]
    assert len(fine) >= 4 and source.collapsed.name not in fine
    assert label_set(key, source, "NER", [], True).labels == (source.collapsed,)


def test_ncbi_disease_of_mtl_bioinformatics_is_read(tmp_path):
    source_files = find_files("ncbi_disease", tmp_path, {"NCBI-disease-IOB/test.tsv": "a\tO\n"})
    assert names(source_files) == {"test": ["NCBI-disease-IOB/test.tsv"]}


def test_only_one_of_iob_and_iobes_is_read(tmp_path):
    source_files = find_files("bc2gm", tmp_path, {"BC2GM-IOB/train.tsv": "a\tO\n", "BC2GM-IOBES/train.tsv": "a\tO\n"})
    assert names(source_files) == {"train": ["BC2GM-IOB/train.tsv"]}
    assert [file.name for file in source_files.ignored] == ["BC2GM-IOBES/train.tsv"]


def test_the_original_is_preferred_and_the_copy_ignored(tmp_path):
    files = {
        "train/train.in": "S1 a\n",
        "train/GENE.eval": "",
        "train/ALTGENE.eval": "",
        "BC2GM-IOB/train.tsv": "a\tO\n",
    }
    source_files = find_files("bc2gm", tmp_path, files)
    assert names(source_files) == {"train": ["train/GENE.eval", "train/train.in"]}
    assert [file.name for file in source_files.ignored] == ["BC2GM-IOB/train.tsv"]


def test_conll_files_of_anatem_are_read(tmp_path):
    files = {
        f"conll/{part}/PMID-1.conll": "left\tB-Organ\nlung\tI-Organ\n\n" for part in ("train", "devel", "test", "all")
    }
    source_files = find_files("anatem", tmp_path, files)
    assert list(names(source_files)) == ["test", "train", "validation"]
    (example,) = read("anatem", source_files, "test")
    assert pairs(example) == [("organ", "left lung")]
    assert not source_files.form.collapsed


def test_bc2gm_in_folders_of_the_packages_is_read(tmp_path):
    source_files = find_files("bc2gm", tmp_path, {"bc2GMtest_1.0/GENE.eval": "", "bc2GMtest_1.0/test.in": "S1 a\n"})
    assert list(names(source_files)) == ["test"]


def test_the_evaluation_part_of_chemdner_is_the_test_split(tmp_path):
    files = {f"{part}.abstracts.txt": "1\ta\tb\n" for part in ("training", "development", "evaluation")}
    assert list(names(find_files("bc4chemd", tmp_path, files))) == ["test", "train", "validation"]


def test_ncbi_splits_are_recognized_in_joined_names(tmp_path):
    files = {f"NCBI{part}set_corpus.txt": "1|t|a\n1|a|b\n" for part in ("train", "develop", "test")}
    assert list(names(find_files("ncbi_disease", tmp_path, files))) == ["test", "train", "validation"]


def test_surrogates_in_the_first_edition_of_weibo_are_joined(tmp_path):
    def line(token: bytes, tag: bytes) -> bytes:
        return token + b"\t" + tag + b"\n"

    halves = line(b"\xed\xa0\xbd", b"O") + line(b"\xed\xb8\x80", b"O")  # U+1F600
    content = line("好".encode(), b"O") + halves + line("周".encode(), b"B-PER.NAM") + line("敏".encode(), b"I-PER.NAM")
    broken = line(b"\xed\xa0\xbd", b"O") + line("好".encode(), b"O")
    source_files = find_files("weibo_ner", tmp_path, {"weiboNER.conll.dev": content + b"\n" + broken})
    good, bad = read("weibo_ner", source_files, "test")
    assert good.text == "好😀周敏"
    assert pairs(good) == [("人名", "周敏")]
    assert bad.reason == Reason.NOT_UTF8


def test_positions_of_weibo_characters_are_removed():
    tokens = ["科0", "p10", "310", "20", "\ufffd\ufffd0", "\u30000", "😀0"]
    assert weibo_ner.without_positions(tokens) == ["科", "p", "3", "2", "\ufffd\ufffd", "\u3000", "😀"]
    assert weibo_ner.without_positions(["科", "科技0", "0", ""]) == [None, None, None, None]


def test_only_the_test_file_of_the_second_weibo_edition_is_read(tmp_path):
    files = {f"weiboNER_2nd_conll.{part}": "好0\tO\n" for part in ("train", "dev", "test")}
    source_files = find_files("weibo_ner", tmp_path, files | {"weiboNER.conll.test": "好\tO\n"})
    assert names(source_files) == {"test": ["weiboNER_2nd_conll.test"]}
    assert len(source_files.ignored) == 3


def test_msra_in_tagged_chunks_is_read(tmp_path):
    files = {"train1.txt": "周敏/nr 到/o\n", "testright1.txt": "中共/nt 在/o 北京/ns \n", "test1.txt": "中共在北京\n"}
    source_files = find_files("msra", tmp_path, files)
    assert names(source_files) == {"test": ["testright1.txt"], "train": ["train1.txt"]}
    (example,) = read("msra", source_files, "test")
    assert (example.text, pairs(example)) == ("中共在北京", [("组织机构", "中共"), ("地理位置", "北京")])


NAME_FILE = """\
<DOC DOCNO="nw/made/00/made_0001@0001@made@nw@en@on">
<ENAMEX TYPE="ORG">R&amp;D -LRB- Oslo -RRB- Ltd.</ENAMEX> met a <ENAMEX TYPE="NORP" S_OFF="4">non-Dane</ENAMEX> /.
No <ENAMEX TYPE="GPE" E_OFF="6">U.K.-based</ENAMEX> firm
<ENAMEX TYPE="CARDINAL">two <ENAMEX TYPE="CARDINAL">or</ENAMEX> three
</DOC>
"""


def test_name_files_of_ontonotes_are_read(tmp_path):
    tree = "data/files/data/{}/annotations/nw/made/00/made_0001.name"
    source_files = find_files("ontonotes", tmp_path, {tree.format(lang): NAME_FILE for lang in ("english", "chinese")})
    assert names(source_files) == {"all": [tree.format("english")]}
    one, two, bad = read("ontonotes", source_files, "all")
    assert one.text == "R&D ( Oslo ) Ltd. met a non-Dane ."
    assert pairs(one) == [("organization", "R&D ( Oslo ) Ltd."), ("national religious political", "Dane")]
    assert (two.text, pairs(two)) == ("No U.K.-based firm", [("geographical social political", "U.K.")])
    assert (bad.place, bad.reason) == (f"{tree.format('english')}:4", Reason.BROKEN_RECORD)


def test_only_english_gold_conll_files_of_ontonotes_are_read(tmp_path):
    wanted = {
        "train/data/english/annotations/wb/dev_09_c2e/00/dev_09_c2e_0000.v4_gold_conll": "train",
        "development/data/english/annotations/bc/cnn/00/cnn_0000.gold_conll": "validation",
        "test/data/english/annotations/bc/cnn/00/cnn_0001.gold_conll": "test",
    }
    others = [
        "train/data/chinese/annotations/bc/cctv/00/cctv_0000.v4_gold_conll",
        "conll-2012-test/data/english/annotations/bc/cnn/00/cnn_0001.gold_conll",
        "train/data/english/annotations/bc/cnn/00/cnn_0002.v4_auto_conll",
        "train/data/english/annotations/bc/cnn/00/cnn_0002.gold_skel",
    ]
    source_files = find_files("ontonotes", tmp_path, dict.fromkeys((*wanted, *others), ""))
    assert {file.name: split for split, files in source_files.splits.items() for file in files} == wanted


def test_multinerd_in_jsonl_is_read(tmp_path):
    row = '{"tokens": ["On", "Ana", "Sol", "\\"", "bus"], "ner_tags": [0, 1, 2, 0, 29], "lang": "en"}\n'
    bad = (
        '{"tokens": ["a"], "ner_tags": [31]}\n{"tokens": ["a"], "ner_tags": [-1]}\n{"tokens": ["a"], "ner_tags": []}\n'
    )
    files = {"test/test_en.jsonl": row + bad, "test/test_de.jsonl": row, "val/val_en.jsonl": row}
    source_files = find_files("multinerd", tmp_path, files)
    assert names(source_files) == {"test": ["test/test_en.jsonl"], "validation": ["val/val_en.jsonl"]}
    good, *rest = read("multinerd", source_files, "test")
    assert (good.text, pairs(good)) == ('On Ana Sol " bus', [("person", "Ana Sol"), ("vehicle", "bus")])
    assert [record.reason for record in rest] == [Reason.BROKEN_RECORD] * 3


def test_the_two_layers_of_a_findvehicle_text_are_united(tmp_path):
    flat = "white O\nAudi B-vehicle_brand\nQ7 B-vehicle_model\n\n"
    typed = "white O\nAudi B-vehicle_type-suv\nQ7 E-vehicle_type-suv\n\n"
    source_files = find_files("findvehicle", tmp_path, {"FindVehicle_test.txt": flat + "a B-vehicle_type\n\n" + typed})
    one, two = read("findvehicle", source_files, "test")
    assert pairs(one) == [("brand of vehicle", "Audi"), ("vehicle model", "Q7"), ("SUV", "Audi Q7")]
    assert pairs(two) == [("vehicle type", "a")]


def test_spellings_of_vehicle_types_have_one_label():
    labels = load("findvehicle").entity_labels
    spellings = ("sports car", "sports_car", "sports-car", "sportscar")
    assert {labels[f"vehicle_type-{spelling}"].name for spelling in spellings} == {"sports car"}
    assert len({label.name for label in labels.values()}) == 21


def test_both_layouts_of_mit_files_are_read(tmp_path):
    original, copy = "B-Dish\tsoup\nO\tnow\n", "soup B-Dish\nnow O\n"
    source_files = find_files(
        "mit_restaurant", tmp_path, {"restauranttrain.bio": original, "conversion/test.txt": copy}
    )
    assert names(source_files) == {"test": ["conversion/test.txt"], "train": ["restauranttrain.bio"]}
    assert pairs(read("mit_restaurant", source_files, "train")[0]) == pairs(
        read("mit_restaurant", source_files, "test")[0]
    )


def test_the_original_of_a_mit_split_is_preferred_to_a_copy(tmp_path):
    files = {"restauranttest.bio": "O\tone\n", "test.txt": "one O\n", "resplit/restauranttest.bio": "O\ttwo\n"}
    source_files = find_files("mit_restaurant", tmp_path, files)
    assert [example.text for example in mit_restaurant.read(source_files.splits["test"])] == ["one"]


def test_the_two_parts_of_mit_movie_have_separate_labels(tmp_path):
    files = {
        "engtrain.bio.txt": "soup O\nmoon B-TITLE\n",
        "trivia10k13test.bio": "B-Quote\tmoon\r\n",
        "trivia10k13test.bio.txt": "moon B-Quote\n",
    }
    plain, trivia = (find_files(key, tmp_path, files) for key in ("mit_movie", "mit_movie_trivia"))
    assert names(plain) == {"train": ["engtrain.bio.txt"]}
    assert names(trivia) == {"test": ["trivia10k13test.bio"]}
    assert [file.name for file in trivia.ignored] == ["trivia10k13test.bio.txt"]
    assert pairs(read("mit_movie", plain, "train")[0]) == [("title", "moon")]


def test_subsets_of_the_harvey_test_file_are_not_read(tmp_path):
    files = {
        "tweets.test.bio": "a O\n",
        "easy_hard/tweets.test.bio": "a O\n",
        "easy_hard/tweets.test.simple.bio": "a O\n",
    }
    assert names(find_files("harvey_ner", tmp_path, files)) == {"test": ["tweets.test.bio"]}


def test_fabner_splits_are_recognized_in_numbered_names(tmp_path):
    files = dict.fromkeys(("S1-test.txt", "S2-train.txt", "S3-val.txt"), "a O\n")
    assert list(names(find_files("fabner", tmp_path, files))) == ["test", "train", "validation"]


def test_blanks_around_a_pubtator_mention_are_removed(tmp_path):
    content = "1|t|A fit.\n1|a|No.\n1\t2\t5\tfit  \tModifier\tD1 \n"
    (example,) = read("ncbi_disease", find_files("ncbi_disease", tmp_path, {"NCBItestset_corpus.txt": content}), "test")
    assert pairs(example) == [("disease modifier", "fit")]
