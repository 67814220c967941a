"""The forms in which a prompt may ask for its answer, by name; `transforms.answer_forms` writes and reads them."""

from schemas.example import TASKS

DEFAULT = "iepile"

FORM_TASKS = {
    DEFAULT: TASKS,
    "nan": tuple(task for task in TASKS if task != "EEA"),  # whose prompts ask for no label without an answer
    "triples": ("RE", "SPO", "KG"),
    "sentences": ("RE", "SPO"),
    "spans": ("NER", "EET"),
}
"""Form → its tasks. Rows of other tasks are in the form `iepile`."""

FORMS = tuple(FORM_TASKS)


def forms_of(task: str) -> tuple[str, ...]:
    """The forms that serve the task, DEFAULT first."""
    return tuple(form for form, tasks in FORM_TASKS.items() if task in tasks)
