"""The kinds of evidence for two labels being confused, by name: what a recipe may list and what a dictionary cites."""

KINDS = {
    "wording": "name, description and roles, embedded",
    "spelling": "name, description and roles, as character n-grams",
    "category": "the path in the label as the files write it (`Justice.Sue`, `/people/person/children`)",
    "types": "the pairs of types that a relation's head and tail have",
    "roles": "the argument roles of an event type, or the attributes of an entity type",
    "mentions": "what is annotated: mentions, heads and tails, triggers and arguments, embedded",
    "name": "the name alone, embedded",
    "description": "the description alone, embedded",
    "contexts": "the text around what is annotated, embedded",
    "strings": "which strings are annotated with both labels",
    "confusion": "which label a nearest-centroid classifier takes an annotation for, in place of its own",
}

DEFAULT = ("wording", "spelling", "category", "types", "roles", "mentions")
"""Without any of these the neighbours are worse or the same, with any of the others too (docs/hard_negatives.md)."""
