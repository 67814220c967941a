"""Descriptions of exported corpora."""

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
