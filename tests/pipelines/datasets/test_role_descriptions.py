"""Roles whose descriptions differ by event type: which description counts, and that the tables hold no other ones."""

from importlib import import_module

import pytest

from pipelines.sources.datasets._roles import describe_roles
from schemas.label import Role

GIVEN = {"Place": "anywhere", "Victim": {"": "anyone", "Life": "a living being", "Life.Die": "the dead person"}}


@pytest.mark.parametrize(
    ("event_type", "victim"), [("Life.Die", "the dead person"), ("Life.Injure", "a living being"), ("Crime", "anyone")]
)
def test_the_description_with_the_longest_beginning_of_the_event_type_counts(event_type, victim):
    roles = describe_roles(event_type, ["Victim", "Place"], {"Victim": "victim"}, GIVEN)
    assert roles == (Role("victim", victim), Role("Place", "anywhere"))


def test_a_role_without_a_description_for_the_event_type_has_an_empty_one():
    roles = describe_roles("Crime", ["Victim", "Time"], {}, {"Victim": {"Life": "a living being"}})
    assert roles == (Role("Victim"), Role("Time"))


def table(dataset: str):
    module = import_module(f"pipelines.sources.datasets.{dataset}")
    if hasattr(module, "TABLE"):
        return module.SOURCES[""], module.TABLE["role_descriptions"]
    return module.SOURCE, module.ROLE_DESCRIPTIONS


@pytest.mark.parametrize("dataset", ["ace2005", "casie", "crudeoilnews", "phee", "rams", "wikievents"])
def test_every_description_is_that_of_a_role_and_short(dataset):
    source, descriptions = table(dataset)
    texts = set()
    for entry in descriptions.values():
        texts |= {entry} if isinstance(entry, str) else set(entry.values())
    used = {role.description for label in source.event_labels.values() for role in label.roles}
    assert texts == used
    assert not [text for text in texts if not 5 <= len(text.split()) <= 15]
