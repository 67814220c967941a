"""What libraries raise over a damaged or foreign model → one line that names it.

transformers, tokenizers, safetensors, peft and jinja2 check little of what they read: a number where a list should be
ends in whichever error comes first. Only calls that load or try out a model or a template are wrapped in `one_line`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import ConfigError

BUILT_IN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,  # RecursionError and NotImplementedError too
    SyntaxError,
    TypeError,
    ValueError,
)


def families() -> tuple[type[Exception], ...]:
    """The classes of these errors; those of libraries are imported only here."""
    import pickle

    import jinja2
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    return (*BUILT_IN, jinja2.TemplateError, pickle.UnpicklingError, SafetensorError, StrictDataclassError)


@contextmanager
def one_line(problem: str) -> Iterator[None]:
    """Raises ConfigError (`problem`: the reason) where a library refuses what it reads; ours pass as they are."""
    try:
        yield
    except families() as error:
        raise ConfigError(f"{problem}: {first_line(error)}") from error
    except Exception as error:
        if type(error) is not Exception:  # the library tokenizers raises this very class
            raise
        raise ConfigError(f"{problem}: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What a library's error says, for a message of one line of at most 300 characters."""
    said = str(error).strip()
    return said.splitlines()[0][:300] if said else type(error).__name__
