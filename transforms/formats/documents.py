"""The field of a record that says which document its text is from."""

from collections.abc import Mapping

FIELDS = ("document_id", "doc_id", "document")


def document_of(fields: object) -> str | None:
    """The document that a record's fields name; None if they name none."""
    if not isinstance(fields, Mapping):
        return None
    names = (fields.get(name) for name in FIELDS)
    return next((str(name) for name in names if isinstance(name, str | int) and str(name).strip()), None)
