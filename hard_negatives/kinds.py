"""The kinds of evidence that two labels are confused, by the names that recipes and dictionaries use."""

KINDS = {
    "wording": "name, description and roles, embedded",
    "spelling": "name, description and roles, as character n-grams",
    "category": "the path in the label as spelled in the files (`Justice.Sue`, `/people/person/children`)",
    "types": "the pairs of types that a relation's head and tail have",
    "roles": "the argument roles of an event type, or the attributes of an entity type",
    "mentions": "the annotated strings (mentions, heads and tails, triggers and arguments), embedded",
    "name": "the name alone, embedded",
    "description": "the description alone, embedded",
    "contexts": "the text around annotations, embedded",
    "strings": "the strings that are annotated with both labels",
    "confusion": "how often a nearest-centroid classifier assigns annotations of one label to another",
}

MISTAKES = "mistakes"
"""The kind that comes from a file of predictions (`mine.confusions`), and is used whenever there is one."""

FROM_PREDICTIONS = {MISTAKES: "how often a model gave one label in place of the other"}

DEFAULT = ("wording", "spelling", "category", "types", "roles", "mentions")
"""Removing any of these kinds, or adding any other kind, does not improve the neighbours (docs/hard_negatives.md)."""
