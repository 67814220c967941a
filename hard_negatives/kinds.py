"""The kinds of evidence that two labels are confused, by the names that recipes and dictionaries use."""

KINDS = (
    "wording",
    "spelling",
    "category",
    "types",
    "roles",
    "mentions",
    "name",
    "description",
    "contexts",
    "strings",
    "confusion",
)
"""`templates/words.en.json` says what each of them is."""

MISTAKES = "mistakes"
"""The kind that comes from a file of predictions (`mine.confusions`), and is used whenever there is one."""

DEFAULT = ("wording", "spelling", "category", "types", "roles", "mentions")
"""Removing any of these kinds, or adding any other kind, does not improve the neighbours (docs/hard_negatives.md)."""
