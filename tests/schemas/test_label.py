import pytest

from schemas.label import Label, LabelSet, Role, described_roles, named_roles, typed_label


def label_set(lang: str, *labels: Label) -> LabelSet:
    return LabelSet("SPO", "k", "K", lang, labels)


def test_roles_are_made_of_names_or_descriptions_in_their_order():
    assert described_roles({"who": "the guest", "when": ""}) == (Role("who", "the guest"), Role("when"))
    assert named_roles(["who", "when"]) == (Role("who"), Role("when"))
    assert Label("meet", roles=named_roles(("who", "when"))).role_names == ("who", "when")


@pytest.mark.parametrize(
    ("lang", "description"),
    [
        ("en", "relation treats; its subject is of type drug, its object of type disease"),
        ("de", "relation treats; its subject is of type drug, its object of type disease"),
        ("zh", "关系“treats”，主体类型为“drug”，客体类型为“disease”"),
    ],
)
def test_a_typed_triple_is_described_by_its_parts(lang, description):
    label = typed_label("drug", "treats", "disease")
    assert label_set(lang, label).description(label) == description


def test_braces_in_a_label_are_text():
    label = typed_label("{x}", "{0}", "}{")
    assert label_set("en", label).description(label).startswith("relation {0}; its subject is of type {x}, ")


def test_a_written_description_is_kept():
    written = Label("a_b_c", "the a made the c", (), "a", "b", "c")
    assert label_set("en", written).description(written) == "the a made the c"
    assert label_set("en").description(Label("person", "a human being")) == "a human being"
    assert label_set("en").description(Label("person")) == ""
