"""Turns errors of libraries that load a damaged or foreign model into one line that names the model.

transformers, tokenizers, safetensors, peft and jinja2 hardly validate their input: a number in place of a list may
raise almost any exception. Only calls that load or try out a model or a template are wrapped in `one_line`.
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from schemas.errors import ConfigError, MachineError

TORCH_ON_CPU = "DefaultCPUAllocator: can't allocate memory"
"""In the message of the RuntimeError that torch raises if CPU memory runs out; accelerators have an exception class."""

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
    """The exception classes to catch. Those of libraries are imported only here."""
    import pickle

    import jinja2
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    return (*BUILT_IN, jinja2.TemplateError, pickle.UnpicklingError, SafetensorError, StrictDataclassError)


@contextmanager
def one_line(problem: str) -> Iterator[None]:
    """Turns exceptions of libraries into ConfigError (`problem`: the reason). IEForge's own errors pass unchanged.

    Running out of memory, on the host or on its accelerator, is a MachineError, since the model may be valid.
    """
    try:
        yield
    except families() as error:
        if is_out_of_memory(error):
            raise MachineError(
                f"{problem}: out of memory ({first_line(error)}); use a smaller model or a larger machine"
            ) from error
        raise ConfigError(f"{problem}: {first_line(error)}") from error
    except Exception as error:
        if type(error) is not Exception:  # tokenizers raises Exception itself
            raise
        raise ConfigError(f"{problem}: {first_line(error)}") from error


@contextmanager
def training_errors(device: object, advice: Callable[[], str], checkpoint: str | None = None) -> Iterator[None]:
    """Turns what ends a training into one line: MachineError for the device or its memory (`advice`: what to lower),
    ConfigError for an option of the optimizer or the data loader that is out of range, a model that does not run, or a
    damaged `checkpoint` (None: not resumed).
    """
    import pickle

    import torch
    from safetensors import SafetensorError

    unreadable = (EOFError, pickle.UnpicklingError, SafetensorError)

    try:
        yield
    except torch.AcceleratorError as error:
        raise MachineError(f"{device}: {first_line(error)}") from error
    except (
        ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError, MemoryError, *unreadable,
    ) as error:  # fmt: skip
        if is_out_of_memory(error):
            raise MachineError(
                f"{device}: out of memory with {advice()}; --resume continues from the last checkpoint"
            ) from error
        remedy = f"; if {checkpoint} is damaged, delete it and resume again" if checkpoint else ""
        raise ConfigError(f"training: {first_line(error)}{remedy}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error`, of Python, the operating system or torch, means that memory ran out."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, RuntimeError):
        return type(error).__name__ == "OutOfMemoryError" or TORCH_ON_CPU in str(error)
    return isinstance(error, MemoryError)


def first_line(error: Exception) -> str:
    """The first line of a library's error message, at most 300 characters."""
    message = str(error).strip()
    return message.splitlines()[0][:300] if message else type(error).__name__
