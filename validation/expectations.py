"""Imports Great Expectations without what the suites do not need, and makes it remember what it has worked out."""

import gc
import sys
from types import ModuleType
from typing import Any

DEFERRED = ("altair", "scipy.stats")
"""Modules that only expectations about distributions use. They take half of the time of the import."""


class Deferred(ModuleType):
    """A module that is imported when one of its names is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # looked up by those who list all modules
            raise AttributeError(name)
        __import__(self.__name__)
        return getattr(sys.modules[self.__name__], name)


def load_expectations() -> None:
    """Imports Great Expectations; the modules DEFERRED follow when they are used."""
    deferred = {name: Deferred(name) for name in DEFERRED if name not in sys.modules}
    gc.disable()  # an import creates no garbage, and collecting takes a fifth of its time
    sys.modules.update(deferred)
    import great_expectations  # noqa: F401

    for name in deferred:
        del sys.modules[name]
    gc.enable()


def remember_while_validating() -> None:
    """Makes Great Expectations keep the expectations and configurations of a validation until it ends.

    Of each configuration of a suite it makes an expectation nine times, and of these a configuration eighty times. That
    takes half of the time in which it validates a frame of a few rows.
    """
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.validator.validator import Validator

    validate = Validator.graph_validate
    made: dict[tuple, tuple] | None = None

    def remember(convert):
        def convert_once(value):
            if made is None:
                return convert(value)
            key = convert, id(value)
            if key not in made:
                made[key] = convert(value), value  # a value that is kept shares its id with no other
            return made[key][0]

        return convert_once

    def validate_with_memory(*arguments, **settings):
        nonlocal made
        made = {}
        try:
            return validate(*arguments, **settings)
        finally:
            made = None

    Validator.graph_validate = validate_with_memory
    Expectation.configuration = property(remember(Expectation.configuration.fget))
    ExpectationConfiguration.to_domain_obj = remember(ExpectationConfiguration.to_domain_obj)
