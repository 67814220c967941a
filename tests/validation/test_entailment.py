"""How surely a text states a fact: features, the built-in score, and claims of paragraphs."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.knowledge import Fact, LinkedMention, MatchedParagraph, Paragraph
from transforms.knowledge import themes
from validation import entailment
from validation.entailment import Claim, Lexical, claims
from validation.lexical_entailment import FEATURES, features, read_weights
from validation.relation_words import entry, in_words, relation_words

BIRTH, CAPITAL, LOCATED, SPOUSE, DIRECTOR = (
    (19, "place of birth"),
    (36, "capital"),
    (131, "located in"),
    (26, "spouse"),
    (57, "director"),
)


def claim(text: str, relation: tuple[int, str], lang: str = "en", page: str | None = None) -> Claim:
    """The claim of a text in which `<` and `>` mark the head, `[` and `]` the tail, and `{` and `}` other mentions.

    `page`: `head` or `tail` if the text is about it.
    """
    plain, ends, spans, start = "", {}, [], 0
    for character in text:
        if character in "<[{":
            start = len(plain)
        elif character in ">]}":
            spans.append((start, len(plain)))
            ends[character] = spans[-1]
        else:
            plain += character
    number, key = relation
    return Claim(
        plain,
        lang,
        ends[">"],
        ends["]"],
        key,
        key,
        number,
        tuple(sorted(spans)),
        page == "head",
        page == "tail",
    )


def present(claim: Claim) -> set[str]:
    """The features that are not 0, without `always`."""
    return {name for name, value in zip(FEATURES, features(claim), strict=True) if value} - {"always"}


@pytest.mark.parametrize(
    ("text", "relation", "page", "expected"),
    [
        ("<Ada Quill> was born in [Marrowby].", BIRTH, "head", {"head_is_page", "head_first", "cue"}),
        ("<Ada Quill> died in [Marrowby].", BIRTH, None, {"head_first", "cue_missing", "rival"}),
        (
            "<Ada Quill> was born in {Lowdale} and died in [Marrowby].",
            BIRTH,
            None,
            {"head_first", "cue", "rival", "mentions_between"},
        ),
        (
            "<Ada Quill> writes. She was born in [Marrowby].",
            BIRTH,
            "head",
            {"other_sentence", "head_is_page", "continued"},
        ),
        (
            "<Ada Quill> writes. In 1950, she left [Marrowby].",
            BIRTH,
            "head",
            {"other_sentence", "head_is_page", "continued", "cue_missing"},
        ),
        ("<Ada Quill> writes. {Bo} was born in [Marrowby].", BIRTH, "head", {"other_sentence", "head_is_page"}),
        ("<Ada Quill> writes.\n[Marrowby] is a town.", BIRTH, None, {"other_sentence", "cue_missing"}),
        ("In [Lowdale], the capital of <Marrow>, it rains.", CAPITAL, "tail", {"tail_is_page", "cue"}),
        ("He flew to [Lowdale], <Marrow>.", CAPITAL, None, {"cue_missing"}),
        ("The {Fair} is in <Lowdale>, {Marrow}, and [Norland].", LOCATED, None, {"mentions_between", "listed"}),
        ("<Ada Quill> and her husband [Bo Reed] left.", SPOUSE, None, {"head_first", "cue"}),
        ("<Ada Quill> and her brother [Bo Reed] left.", SPOUSE, None, {"head_first", "cue_missing", "rival"}),
    ],
)
def test_features_of_english_texts(text, relation, page, expected):
    assert present(claim(text, relation, page=page)) == expected


@pytest.mark.parametrize(
    ("text", "relation", "page", "expected"),
    [
        ("<林墨>出生于[青河镇]。", BIRTH, "head", {"head_is_page", "head_first", "cue"}),
        ("<林墨>是作家。他出生于[青河镇]。", BIRTH, "head", {"other_sentence", "head_is_page", "continued"}),
        (
            "<林墨>是作家。1950年，她离开[青河镇]。",
            BIRTH,
            "head",
            {"other_sentence", "head_is_page", "continued", "cue_missing"},
        ),
        ("<林墨>逝世于[青河镇]。", BIRTH, None, {"head_first", "cue_missing", "rival"}),
        ("<长夜>由[林墨]执导。", DIRECTOR, None, {"head_first"}),
        ("<长夜>的导演是[林墨]。", DIRECTOR, None, {"head_first", "cue"}),
        ("<青河镇>、{白石镇}和[黑山镇]。", LOCATED, None, {"head_first", "mentions_between", "listed"}),
    ],
)
def test_features_of_chinese_texts(text, relation, page, expected):
    assert present(claim(text, relation, "zh", page)) == expected


def test_the_number_of_mentions_between_is_on_a_logarithmic_scale():
    few = claim("<Ada> met {Bo} in [Lowdale].", BIRTH)
    many = claim("<Ada> met {Bo}, {Cy} and {Di} in [Lowdale].", BIRTH)
    at = list(FEATURES).index("mentions_between")
    assert 0 < features(few)[at] < features(many)[at] < 3 * features(few)[at]


@pytest.mark.parametrize(
    ("stated", "not_stated"),
    [
        ("<Ada Quill> was born in [Marrowby].", "<Ada Quill> died in [Marrowby]."),
        ("<Ada Quill> was born in [Marrowby].", "{Bo}, {Cy} and <Ada> sing. {Di} was born in [Marrowby]."),
        ("<Ada Quill> was born in [Marrowby].", "<Ada Quill> was born in {Lowdale} and moved to [Marrowby]."),
    ],
)
def test_a_text_that_states_the_fact_has_the_higher_score(stated, not_stated):
    high, low = Lexical().score([claim(stated, BIRTH), claim(not_stated, BIRTH)])
    assert high > 0.5
    assert high > low + 0.02


def test_a_fact_between_two_sentences_needs_more_than_its_two_ends():
    apart = "{Bo Reed} lives in <Lowdale>. {Ada Quill} writes for a paper in [Norland]."
    assert Lexical().score([claim(apart, LOCATED)])[0] < 0.5
    about = "<Lowdale> is a town. It is in the north of [Norland]."
    assert Lexical().score([claim(about, LOCATED, page="head")])[0] > 0.5


def test_a_common_noun_that_is_the_name_of_an_item_is_no_head():
    linked = claim("He is a <designer> and [artist].", (279, "subclass of"))
    by_name = msgspec.structs.replace(linked, by_name=True)
    assert present(by_name) - present(linked) == {"head_is_word"}
    high, low = Lexical().score([linked, by_name])
    assert high > 0.5 > low
    assert present(msgspec.structs.replace(claim("<Ada> likes [art].", (7, "x")), by_name=True)) == {"head_first"}


def test_an_unknown_relation_has_a_score_too():
    assert 0.5 < Lexical().score([claim("<Ada> plays [chess].", (999_999, "favourite game"))])[0] < 1


@st.composite
def any_claims(draw) -> list[Claim]:
    lang = draw(st.sampled_from(["en", "zh"]))
    text = draw(st.text(alphabet="Ab born他出生于在，。.,\n (\U0001f600ß", min_size=1, max_size=60))
    place = st.integers(0, len(text))
    spans = st.tuples(place, place).map(lambda pair: tuple(sorted(pair)))
    one = st.builds(
        Claim,
        st.just(text),
        st.just(lang),
        spans,
        spans,
        st.sampled_from(["place of birth", "none"]),
        st.just("name"),
        st.sampled_from([19, 36, 131, 7]),
        st.lists(spans, max_size=4).map(lambda spans: tuple(sorted(spans))),
        st.booleans(),
        st.booleans(),
    )
    return draw(st.lists(one, max_size=6))


@settings(deadline=None)
@given(any_claims(), st.randoms(use_true_random=False))
def test_scores_are_chances_and_do_not_depend_on_the_other_claims(several, order: random.Random):
    scores = Lexical().score(several)
    assert all(0 <= score <= 1 for score in scores)
    numbers = list(range(len(several)))
    order.shuffle(numbers)
    assert Lexical().score([several[number] for number in numbers]) == [scores[number] for number in numbers]
    assert [Lexical().score([each])[0] for each in several] == scores


def test_claims_of_a_paragraph():
    text = "Ada Quill was born in Marrowby in 1950."
    mentions = (
        LinkedMention(0, 9, "title", 1, ("human",)),
        LinkedMention(22, 30, "anchor", 2, ("geographic_region",)),
        LinkedMention(34, 38, "value", None, ("time",)),
    )
    paragraph = MatchedParagraph(
        Paragraph("p", "en", text, "Ada Quill", 1),
        "Person",
        mentions,
        (Fact("place of birth", 0, 1, 19), Fact("date of birth", 0, 2, 569)),
    )
    place, date = claims(paragraph, {"place of birth": "出生地点", "date of birth": "出生日期"})
    assert (place.head, place.tail, place.property, place.name) == ((0, 9), (22, 30), 19, "出生地点")
    assert (date.tail, date.relation, date.head_is_page, date.tail_is_page) == ((34, 38), "date of birth", True, False)
    assert place.mentions == date.mentions == ((0, 9), (22, 30), (34, 38))
    assert not place.by_name


def test_a_value_is_not_the_item_of_a_text_without_a_page():
    mentions = (LinkedMention(0, 3, "name", 1), LinkedMention(4, 8, "value"))
    paragraph = MatchedParagraph(Paragraph("p", "en", "Ada 1950"), "Person", mentions, (Fact("x", 0, 1, 569),))
    (one,) = claims(paragraph, {"x": "x"})
    assert (one.tail_is_page, one.by_name) == (False, True)


@pytest.mark.parametrize(
    ("relation", "name", "lang", "words"),
    [
        ("place of birth", "place of birth", "en", "Ada was born in Lowdale."),
        ("place of birth", "出生地点", "zh", "Ada出生于Lowdale。"),
        ("favourite game", "favourite game", "en", "The favourite game of Ada is Lowdale."),
        ("favourite game", "最爱的游戏", "zh", "Ada的最爱的游戏是Lowdale。"),
    ],
)
def test_facts_in_words(relation, name, lang, words):
    assert in_words(Claim("Ada Lowdale", lang, (0, 3), (4, 11), relation, name, 0)) == words


def test_every_template_has_both_ends_in_both_languages():
    for relation, by_language in relation_words().templates.items():
        assert by_language.keys() == {"en", "zh"}, relation
        for template in by_language.values():
            assert template.count("{head}") == template.count("{tail}") == 1, template


def test_all_properties_of_the_bundled_themes_have_words():
    relations = [relation for theme in themes.load().themes.values() for relation in theme.relations]
    assert not [(r.key, number) for r in relations for number, _ in r.properties if entry(number, r.key) is None]
    assert relation_words().templates.keys() <= {relation.key for relation in relations}


def test_no_property_or_relation_has_two_entries():
    entries = relation_words().cues
    for values in ([p for e in entries for p in e.properties], [r for e in entries for r in e.relations]):
        assert len(values) == len(set(values))
    assert entry(19, "located in").name == "place of birth"  # the property decides
    assert entry(0, "located in").name == "located in"


def test_the_weights_belong_to_the_features_and_entries():
    weights = read_weights()
    assert list(weights.features) == list(FEATURES)
    assert weights.relations.keys() <= {cues.name for cues in relation_words().cues}


def test_the_name_lexical_is_the_built_in_score():
    entailment.check("lexical")
    assert isinstance(entailment.load("lexical", 8), Lexical)
    assert entailment.display_name("lexical") == Lexical.name
