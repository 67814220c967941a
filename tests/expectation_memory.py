"""Makes Great Expectations remember the expectations and configurations of the validation that it is doing.

Of each configuration of a suite it makes an expectation nine times, and of these a configuration eighty times. That
takes half of the time in which it validates a frame of a few rows, and the tests validate hundreds of them.
"""

import functools

from validation import check


def remember_expectations() -> None:
    """From the first check of the process on, so that the tests that check nothing do not wait for the import."""
    batch_definition = check.batch_definition

    @functools.cache
    def batch_definition_with_memory():
        batch = batch_definition()
        remember_while_validating()
        return batch

    check.batch_definition = batch_definition_with_memory


def remember_while_validating() -> None:
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
