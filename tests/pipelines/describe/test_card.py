"""The dataset card: YAML for loaders and the Hub, text for people, and figures that agree with the statistics."""

import re

import pytest
import yaml
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCard
from msgspec.structs import replace
from pyarrow import dataset

from pipelines import build
from pipelines.build_reports import read_statistics
from pipelines.describe import card, figures
from pipelines.describe.form_examples import FormAnswer, FormExample
from pipelines.describe.token_estimate import CONTEXTS, EDGES, stratum
from pipelines.sources import Licence, load
from pipelines.sources.licences import Terms
from schemas.agreement import Agreement, Annotators, LabelAgreement, Votes
from schemas.errors import Reason
from schemas.example import TASKS
from schemas.manifests import TokenCounts
from tests.unified import NER_SCHEMA, ner, write_source


@pytest.fixture(scope="module")
def counts(built):
    return read_statistics(str(built))


def head_and_body(text: str) -> tuple[dict, str]:
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def figures_in(text: str) -> list[str]:
    """All numbers of a text, except for those in code, links and BibTeX."""
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", text, flags=re.DOTALL)
    return re.findall(r"\d[\d,.]*\d|\d", text)


def commands(text: str) -> list[str]:
    """The fenced blocks, without comments."""
    return [re.sub(r" *#.*", "", block) for block in re.findall(r"```.*?```", text, re.DOTALL)]


def test_configs_name_every_task_and_one_default(built):
    head, _ = head_and_body((built / "README.md").read_text())
    names = [config["config_name"] for config in head["configs"]]
    assert names == ["default", "NER", "RE", "SPO", "EE", "EET", "EEA", "KG"]
    assert [config.get("default", False) for config in head["configs"]] == [True] + [False] * 7
    for config in head["configs"]:
        for files in config["data_files"]:
            assert list(built.glob(files["path"])), files


def test_huggingface_hub_parses_the_metadata(built):
    data = DatasetCard.load(built / "README.md").data
    assert data.language == ["en", "zh"]
    assert (data.license, data.license_name) == ("other", "contains-sources-not-to-be-redistributed")
    assert data.size_categories == ["1K<n<10K"]
    assert data.task_categories == ["text-generation", "token-classification"]
    configs = MetadataConfigs.from_dataset_card_data(data)
    assert configs.get_default_config_name() == "default"
    assert list(configs) == ["default", *TASKS]


def test_every_source_has_licence_citation_and_counts(built, counts):
    _, body = head_and_body((built / "README.md").read_text())
    for key, cited in (("conll2003", "Tjong Kim Sang and De Meulder 2003"), ("phee", "Sun et al. 2022")):
        assert f"| `{key}` | `{load(key).name}` | [{load(key).title}]({load(key).homepage}) ({cited}) |" in body
        assert load(key).licence_text in body
        assert f"{{{load(key).citation},\n" in body
    assert "| `conll2003` | train | 16 | 29 | 0 | 0 | 16 | 15 | 15 | leakage 1, wrong_columns 1 |" in body
    assert "| `clue_ner/train` | `clue_ner` | 1 | 0 | 0 |" in body
    assert "`lexical`" in body
    assert "come with IEForge" in body  # samples are not presented as the datasets


def test_totals_are_those_of_the_statistics(built, counts):
    _, body = head_and_body((built / "README.md").read_text())
    splits = [split for by_split in counts.sources.values() for split in by_split.values()]
    for number in (
        sum(split.read.examples for split in splits),
        sum(split.kept.examples for split in splits),
        sum(split.kept.relations for split in splits),
        sum(n for by_split in counts.instructions.values() for n in by_split.values()),
    ):
        assert f" {number:,} " in body
    lost = dict.fromkeys(Reason, 0)
    for split in splits:
        for reason, n in split.rejected.items():
            lost[reason] += n
    for reason, n in lost.items():
        assert bool(re.search(rf"^\| `{reason}` \| .+ \| {n:,} \|$", body, re.MULTILINE)) == bool(n)


def test_both_languages_have_the_same_figures_and_commands(counts):
    lengths = {"a": {"NER": {"train": stratum(300, [600] * 20, [3] * 20)}}}
    tokens = figures.token_totals(TokenCounts("words", CONTEXTS, EDGES, lengths))
    for statistics in (counts, replace(counts, tokens=tokens), figures.subset(counts, ["phee", "clue_ner"])):
        english = head_and_body(card.render(statistics))[1]
        chinese = card.render(statistics, "zh")
        assert sorted(figures_in(english)) == sorted(figures_in(chinese))
        assert commands(english) == commands(chinese)


def test_reasons_terms_and_tasks_have_words_in_both_languages():
    for lang in card.LANGUAGES:
        text = (card.TEMPLATES / f"card.{lang}.md").read_text()
        for word in (*Reason, *Terms, *TASKS):
            assert f'"{word}": ' in text


def test_token_counts_have_an_error_margin(counts):
    lengths = {"phee": {"EE": {"train": stratum(100, [500] * 10 + [700] * 10, [50] * 20)}}}
    tokens = figures.token_totals(TokenCounts("words", CONTEXTS, EDGES, lengths))
    text = card.render(replace(counts, tokens=tokens))
    # Mean 650, standard deviation 102.6, 20 of 100 rows counted: 65,000 ± 1.96 * 100 * 102.6 * sqrt(0.8 / 20).
    assert "20 of 100 rows" in text and "| EE | train | 65,000 ± 4,022 | 60,000 | 5,000 | 650.0 |" in text
    assert "| 100.00% ± 12.00% | none, < 12.00% |" in text


def test_a_subset_of_sources_is_described_alone(counts):
    text = card.render(figures.subset(counts, ["phee", "clue_ner"]), parts=card.Parts(place="org/name"))
    head, body = head_and_body(text)
    assert [config["config_name"] for config in head["configs"]] == ["default", "NER", "EE", "EET", "EEA"]
    assert (head["license"], head["license_name"]) == ("other", "contains-sources-without-licence")
    assert "conll2003" not in re.sub(r"```.*?```", "", body, flags=re.DOTALL)
    assert "tjongkimsang2003conll" not in body and "sun2022phee" in body
    assert 'load_dataset("org/name")' in body and "`corpus` is the folder" not in body
    assert f"had {len(counts.sources)} sources, of which 2 are included here" in body


def test_the_strictest_licence_is_named_with_its_sources(counts):
    for keys, terms in (
        (["phee", "conll2003", "multinerd"], "**must not be redistributed**, because of `conll2003`."),
        (["phee", "scierc", "multinerd"], "ask before redistributing it**, because of `scierc`."),
        (["phee", "multinerd"], "no commercial use, adaptations under the same licence**, because of `multinerd`."),
        (["phee"], "**attribution, and the licence text kept with it**, because of `phee`."),
    ):
        assert terms in card.render(figures.subset(counts, keys))


def test_a_card_names_missing_sources_and_lacks_missing_splits(tmp_path):
    write_source(tmp_path / "data/a", "NER", NER_SCHEMA, train=[ner("Ada went to Rome.", person="Ada")])
    flags = ["--data_root", str(tmp_path / "data"), "--output", str(tmp_path / "build"), "--hard_negatives", "none"]
    assert build.main([*flags, "--sources", "a,scierc"]) == 3
    head, body = head_and_body((tmp_path / "build/README.md").read_text())
    assert "**Incomplete.**" in body and "`scierc`: none of its files is in" in body
    assert str(tmp_path) not in body
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "data/*/train-*.parquet"}]
    assert "None were used" in body and "lexical" not in body and "are asked together with them" not in body
    assert "Samples" not in body and "--data_root raw --sources a " in body
    assert "hard_negatives: none" in body  # in the recipe


def test_no_local_path_is_published(built):
    for name in (
        *("README.md", "README_zh.md", "croissant.json"),
        "reports/stats.json",
        "reports/data_docs/index.html",
    ):
        text = (built / name).read_text()
        assert str(built) not in text
        assert not re.search(r"/(home|root|tmp|Users)/", text)


def test_markup_in_the_data_stays_text(counts):
    subset = figures.subset(counts, ["phee"])
    about = {"phee": replace(subset.about["phee"], title="a|b <script>x</script>\n[c](d)", homepage="")}
    text = card.render(replace(subset, about=about, labels={"phee": {"EE": ("<img src=x>", "`tick`")}}))
    assert "| a\\|b &lt;script&gt;x&lt;/script&gt; \\[c\\](d) (Sun et al. 2022) |" in text
    assert "<script" not in text and "<img" not in text


def test_each_form_of_answer_is_shown(counts):
    answers = (FormAnswer("iepile", "a|b <b>", '{"a`": []}'), FormAnswer("sentences", "c", '"a": "b"\n"a": "c"'))
    example = FormExample("RE", "phee/train/1/RE/0", '["a`"]', "<img src=x> | `tick`", answers)
    for lang in card.LANGUAGES:
        text = card.render(counts, lang, card.Parts(forms=[example]))
        assert '| `sentences` | c | `"a": "b"`<br>`"a": "c"` |' in text
        assert "| `iepile` | a\\|b &lt;b&gt; | <code>" in text
        assert "<img" not in text and "`phee/train/1/RE/0`" in text
    assert "Forms of answer" not in card.render(counts)


def test_the_agreement_of_annotators_is_shown_without_their_names(counts):
    layers = {"entities": Votes(30, 20, 20)}
    labels = tuple(LabelAgreement("entities", label, Votes(15, 10, 5), Votes()) for label in ("ship", "quay"))
    pairs = tuple(Agreement("maja", name, 10, 90, layers, labels, (), 3, ()) for name in ("tom", "ada"))
    several = Annotators("maja", {"maja": 20, "tom": 10, "ada": 10}, pairs, 3)
    single = Annotators("gold", {"ada": 2}, (), 0)
    english, chinese = (
        card.render(counts, lang, card.Parts(annotators={"phee": several, "rams": single})) for lang in card.LANGUAGES
    )
    assert "| `phee` | 3 | the annotation by one person is taken | 3 | entities | 0.80 | 0.40 |" in english
    assert "| `phee` | 3 | 取其中一人的标注 | 3 | 实体 | 0.80 | 0.40 |" in chinese
    assert "maja" not in english + chinese and "### Annotators" not in card.render(counts)
    assert "`rams`" not in english[english.index("### Annotators") : english.index("### Leakage")]


def test_size_category():
    assert [card.size_category(n) for n in (999, 1_000, 2_000_000, 10**9)] == [
        "n<1K",
        "1K<n<10K",
        "1M<n<10M",
        "100M<n<1B",
    ]


def test_only_a_corpus_that_may_be_passed_on_names_the_licences_of_its_sources(counts):
    def licence(*keys: str) -> dict:
        head, body = head_and_body(card.render(figures.subset(counts, keys)))
        assert ("Before you publish" in body) == (head["license"] == "other")
        return {name: head[name] for name in head if name.startswith("license")}

    assert licence("phee", "multinerd") == {"license": ["cc-by-nc-sa-4.0", "mit"]}
    assert licence("phee", "scierc") == {"license": "other", "license_name": "contains-sources-without-licence"}
    gated = {"license": "other", "license_name": "contains-sources-not-to-be-redistributed"}
    assert licence("phee", "scierc", "conll2003") == gated
    text = card.render(figures.subset(counts, ["phee", "scierc", "conll2003"]))
    assert (
        "- Never publish rows of `conll2003`." in text and "- For `scierc` no licence that permits it is known." in text
    )


def test_the_card_shows_a_short_row_of_each_task_but_none_that_must_not_be_redistributed(built, counts):
    body = head_and_body((built / "README.md").read_text())[1]
    shown = re.findall(r"^([A-Z]+), `([^`]+)`\n\n```json\n(.*)\n(.*)\n```$", body, re.MULTILINE)
    assert [task for task, *_ in shown] == list(counts.instructions)
    for task, row_id, prompt, answer in shown:
        (row,) = dataset.dataset(built / "data" / task).to_table(filter=dataset.field("id") == row_id).to_pylist()
        assert (row["instruction"], row["output"]) == (prompt, answer) and row["positives"]
        assert row["hard_negatives"] or task in ("EEA", "KG")  # these ask for no label without an answer here
        assert row_id.startswith(tuple(f"{key}/" for key in counts.about if counts.about[key].licence != Licence.GATED))


@pytest.mark.parametrize("lang", card.LANGUAGES)
def test_the_code_of_the_card_names_a_task_with_training_rows(counts, lang):
    tested = {"NER": {"test": 3}}
    text = card.render(replace(counts, instructions=tested | {"RE": {"train": 2}}), lang)
    assert '"RE", split="train")' in text and "`ieforge_re`" in text and "ieforge_ner" not in text
    text = card.render(replace(counts, instructions=tested | {"RE": {"validation": 2}}), lang)
    assert 'split="train"' not in text and "`ieforge_re_validation`" in text and "ieforge_ner" not in text
    text = card.render(replace(counts, instructions=tested), lang)
    assert 'split="train"' not in text and "ieforge_" not in text and "croissant.json" in text


def test_the_card_of_a_build_links_to_its_pages(built, counts):
    for lang, name in (("en", "README.md"), ("zh", "README_zh.md")):
        pages = re.findall(r"\]\((reports/[^)]*)\)", (built / name).read_text())
        assert sorted(pages) == [
            *("reports/data_docs/index.html", "reports/hard_negatives.html", "reports/report.html")
        ]
        assert all((built / page).exists() for page in pages)
        assert "](reports/hard_negatives.html)" not in card.render(counts, lang)  # no release has it


def test_a_card_of_one_row_is_in_the_singular(counts):
    one = figures.subset(counts, ["phee"])
    split = replace(one.sources["phee"]["train"], rejected={Reason.NOT_CHOSEN: 1})
    text = card.render(replace(one, sources={"phee": {"train": split}}, instructions={"EE": {"train": 1}}))
    assert "1 instruction that asks for events" in text and "The corpus was built by" in text
    assert "and 1 annotation was not (`not_chosen`)" in text
    assert "are asked together with them" in text  # unlike that of a build without hard negatives, above


def test_a_licence_that_is_not_stated_is_in_the_language_of_the_card(counts):
    subset = figures.subset(counts, ["phee"])
    about = {"phee": replace(subset.about["phee"], licence_text="none stated")}
    assert ": none stated |" in card.render(replace(subset, about=about))
    chinese = card.render(replace(subset, about=about), "zh")
    assert "：未说明 |" in chinese and "none stated" not in chinese


def test_the_title_of_the_user_is_heading_and_name_on_the_hub(counts):
    parts = card.Parts(title="Ships & *quays*: port logs")
    head, body = head_and_body(card.render(counts, parts=parts))
    assert head["pretty_name"] == "Ships & *quays*: port logs"
    assert "\n# Ships &amp; \\*quays\\*: port logs\n" in f"\n{body}"
    assert "# Ships &amp;" in card.render(counts, "zh", parts)
