"""The field of a record that says which document its text is from."""

from collections.abc import Mapping

FIELDS = ("document_id", "doc_id", "document")


def document_of(*records: object, group_by: str | None = None) -> str | None:
    """The document that the fields of one of `records` name, such as a row and its metadata; None if none does.

    `group_by`: the name of the field; None for the usual ones.
    """
    for fields in records:
        if isinstance(fields, Mapping):
            for name in FIELDS if group_by is None else (group_by,):
                value = fields.get(name)
                if isinstance(value, str | int | float) and str(value).strip():
                    return str(value)
    return None
