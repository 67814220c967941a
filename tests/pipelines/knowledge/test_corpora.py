"""Descriptions of exported corpora."""

import re

from pipelines.knowledge import config, corpora
from transforms.knowledge import themes


def test_other_names_have_one_type():
    settings = config.Config(wikidata=("a.json",), wikipedia=("b.xml",), lang="zh")
    described = corpora.describe(settings)
    aliases = {
        (theme.key, each.key) for theme in themes.load(None).themes.values() for each in theme.relations if each.aliases
    }
    tails = {(theme, each.key): each.tail_types for theme, corpus in described.items() for each in corpus.relations}
    assert aliases and {tails[pair] for pair in aliases} == {("text",)}
    assert tails["Person", "place of birth"] != ("text",)


def test_a_folder_with_a_model_is_named_without_its_path_and_with_its_checksum(tmp_path):
    names = set()
    for content in (b"some weights", b"other weights"):
        (tmp_path / "weights").write_bytes(content)
        settings = config.Config(
            wikidata=("a.json",), wikipedia=("b.xml",), lang="en", score=config.Score(model=str(tmp_path))
        )
        described = corpora.describe(settings)
        names |= {corpus.scorer for corpus in described.values()}
    assert len(names) == 2
    assert all(re.fullmatch(rf"{re.escape(tmp_path.name)}@[0-9a-f]{{12}}", name) for name in names)


def test_the_seed_and_changed_settings_are_described_without_paths():
    settings = config.Config(
        wikidata=("a.json",), wikipedia=("b.xml",), lang="en", seed=7, export=config.Export(alpha=1, min_score=0.9),
        match=config.Match(themes="/home/ada/sea.yaml", coarse_dates=True),
    )  # fmt: skip
    assert corpora.changed_settings(settings) == {
        "seed": 7, "match.themes": "sea.yaml", "match.coarse_dates": True, "export.alpha": 1,
    }  # fmt: skip
