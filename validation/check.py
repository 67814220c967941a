"""A frame of `validation.profile` → the result of its Great Expectations suite, with counts and example ids.

Great Expectations takes seconds to import, so the first check of a process imports it and creates its context.
"""

import heapq
import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from schemas.errors import SuiteError
from validation.expectations import load_expectations
from validation.suites import SUITES, Rule

if TYPE_CHECKING:  # imported by the first check at run time
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

EXAMPLE_IDS = 3
LOCK = threading.Lock()
"""The context of Great Expectations is not thread-safe, and a Beam worker may have several threads."""


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """`unexpected`: the number of rows (for a table-wide expectation: of columns, or 1). `examples`: up to three ids,
    sorted.
    """

    name: str
    column: str | None
    meaning: str
    success: bool
    unexpected: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuiteResult:
    suite: str
    rows: int
    expectations: tuple[ExpectationResult, ...]

    @property
    def success(self) -> bool:
        return all(expectation.success for expectation in self.expectations)


@lru_cache(maxsize=1)
def batch_definition() -> "BatchDefinition[Any]":
    """The batch definition of which every frame is a batch, on one in-memory context per process."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it logs 200 lines about its set-up
    load_expectations()
    import great_expectations
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(store_backend_defaults=InMemoryStoreBackendDefaults(), analytics_enabled=False)
    context = great_expectations.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("frame")


def validate(
    frame: pd.DataFrame, rules: Iterable[Rule], result_format: dict[str, Any]
) -> dict[tuple[str, str | None], "ExpectationValidationResult"]:
    """(name, column) of every rule → its result as Great Expectations returns it."""
    batch = batch_definition().get_batch(batch_parameters={"dataframe": frame})
    from great_expectations import ExpectationSuite

    kwargs = [{"column": rule.column} if rule.column else {} for rule in rules]
    expectations = [
        {"type": rule.name, "kwargs": {**column, **rule.settings}} for rule, column in zip(rules, kwargs, strict=True)
    ]
    outcome = batch.validate(ExpectationSuite(name="rules", expectations=expectations), result_format=result_format)
    configured = [(result.expectation_config, result) for result in outcome.results]
    return {(config.type, config.kwargs.get("column")): result for config, result in configured if config is not None}


def check(suite: str, frame: pd.DataFrame) -> SuiteResult:
    """Checks every expectation of `suite` on every row of `frame`. Rows that fail are looked up in a second pass.

    An expectation that cannot be evaluated, for example because its column is missing, fails. Raises SuiteError if a
    column of counts is not int64, because Great Expectations skips nulls.
    """
    rules = SUITES[suite].rules
    for column in SUITES[suite].numbers:
        if column in frame and frame[column].dtype != "int64":
            raise SuiteError(f"suite {suite}: `{column}` is {frame[column].dtype}, not int64; build it with profile.py")
    with LOCK:
        passed = validate(frame, rules, {"result_format": "BOOLEAN_ONLY"})
        failed = [rule for rule in rules if not passed[rule.name, rule.column].success]
        if failed:
            frame = frame.reset_index(drop=True)
            details = validate(frame, failed, {"result_format": "COMPLETE", "return_unexpected_index_query": False})
    return SuiteResult(
        suite,
        len(frame),
        tuple(
            failure(rule, details[rule.name, rule.column].result, frame)
            if rule in failed
            else ExpectationResult(rule.name, rule.column, rule.meaning, True, 0, ())
            for rule in rules
        ),
    )


def failure(rule: Rule, result: dict[str, Any], frame: pd.DataFrame) -> ExpectationResult:
    """The ExpectationResult of a rule that failed, from the result of Great Expectations."""
    if rule.column is None:
        mismatched = result.get("details", {}).get("mismatched", {})
        examples = [name for names in mismatched.values() for name in names]
        count = max(1, len(examples))
    elif "unexpected_index_list" not in result:  # the expectation could not be evaluated
        examples, count = [], max(1, len(frame))
    else:
        rows = frame.loc[result["unexpected_index_list"]]
        if rule.culprits == "id":
            missing = rows["id"].isna()
            ids = rows["id"].astype(str).where(~missing, "row " + rows.index.astype(str).to_series(index=rows.index))
            examples, count = ids.tolist(), len(rows)
        else:
            examples = [name for names in rows[rule.culprits] for name in names]
            count = int(rows[rule.column].sum())
    return ExpectationResult(rule.name, rule.column, rule.meaning, False, count, first(examples))


def first(examples: Iterable[str]) -> tuple[str, ...]:
    return tuple(heapq.nsmallest(EXAMPLE_IDS, set(examples)))


def merge(results: Iterable[SuiteResult]) -> SuiteResult:
    """The result of a suite over several shards, in any order: counts are summed and the first example ids are kept.
    Raises ValueError if there are no results or if they belong to different suites.
    """
    results = list(results)
    if len({result.suite for result in results}) != 1:
        raise ValueError(f"can only merge results of one suite, not of {sorted({result.suite for result in results})}")
    return SuiteResult(
        results[0].suite,
        sum(result.rows for result in results),
        tuple(
            ExpectationResult(
                expectations[0].name,
                expectations[0].column,
                expectations[0].meaning,
                all(expectation.success for expectation in expectations),
                sum(expectation.unexpected for expectation in expectations),
                first(example for expectation in expectations for example in expectation.examples),
            )
            for expectations in zip(*(result.expectations for result in results), strict=True)
        ),
    )


def failure_lines(results: Iterable[SuiteResult]) -> list[str]:
    """One line per failed expectation: its name, number of unexpected rows, meaning, and up to three ids."""
    return [
        f"{result.suite}: {e.name}{f' of {e.column}' if e.column else ''}: {e.unexpected} unexpected: {e.meaning}"
        + (f" See {', '.join(e.examples)}." if e.examples else "")
        for result in results
        for e in result.expectations
        if not e.success
    ]
