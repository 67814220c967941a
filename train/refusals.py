"""Errors of libraries that load a damaged or foreign model, as one line that names the model.

transformers, tokenizers, safetensors, peft and jinja2 check little of what they read: a number where a list should be
ends in whichever error comes first. Only calls that load or try out a model or a template are wrapped in `one_line`.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import ConfigError, MachineError

TORCH_ON_CPU = "DefaultCPUAllocator: can't allocate memory"
"""What torch says in a RuntimeError where the CPU's memory is too small; on accelerators it has a class for that."""

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
    """Raises ConfigError (`problem`: the reason) where a library refuses what it reads; errors of ours pass unchanged.

    Memory that runs out, in the machine or on its accelerator, is a MachineError: the model may be as it should.
    """
    try:
        yield
    except families() as error:
        if is_out_of_memory(error):
            raise MachineError(
                f"{problem}: out of memory ({first_line(error)}); take a smaller model or a larger machine"
            ) from error
        raise ConfigError(f"{problem}: {first_line(error)}") from error
    except Exception as error:
        if type(error) is not Exception:  # the library tokenizers raises this very class
            raise
        raise ConfigError(f"{problem}: {first_line(error)}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, by an error of Python, of the operating system or of torch."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, RuntimeError):
        return type(error).__name__ == "OutOfMemoryError" or TORCH_ON_CPU in str(error)
    return isinstance(error, MemoryError)


def first_line(error: Exception) -> str:
    """What a library's error says, for a message of one line of at most 300 characters."""
    message = str(error).strip()
    return message.splitlines()[0][:300] if message else type(error).__name__
