"""The formats of annotation tools in which users' own data may come, and how files in them are recognised."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from schemas.errors import BadRecord
from schemas.example import RawExample
from transforms.files import File
from transforms.formats.head import Head


@dataclass(frozen=True)
class UserForm:
    """A format that a user's folder may have.

    `name`: the word for `format:` in source.yaml. `title`: the name for people. `suffixes`: of the files of the format,
    in lower case; a file with another one is not looked at. `recognises`: whether a file is in the format, by its
    beginning. `layers`: what the format can annotate. `read`: the reader of the files of one split; it yields one
    RawExample per text and annotator.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    layers: tuple[str, ...]
    recognises: Callable[[Head], bool]
    read: Callable[[Iterable[File]], Iterator[RawExample | BadRecord]]
    companions: tuple[str, ...] = ()
    """Suffixes of files that belong to the format but are not read by themselves: the texts of brat."""


FORMS: tuple[UserForm, ...] = ()
"""In the order in which they are tried: a special format before a general one that its files fit, too."""


def form_named(name: str) -> UserForm:
    """The format with this name in source.yaml. Raises KeyError for an unknown one."""
    return {form.name: form for form in FORMS}[name]


def recognise(file: File, forms: Sequence[UserForm] = FORMS) -> list[UserForm]:
    """The formats whose files look like this one, most special first."""
    head = Head(file)
    return [form for form in forms if head.suffix in form.suffixes and form.recognises(head)]
