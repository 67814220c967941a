"""A frame of `validation.profile` → the result of its Great Expectations suite, with counts and example ids.

Great Expectations takes seconds to import: it is loaded, and its context made, by the first check of a process.
"""

import gc
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
from validation.suites import SUITES, Rule

if TYPE_CHECKING:  # at run time imported by the first check alone
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

EXAMPLE_IDS = 3
LOCK = threading.Lock()
"""Great Expectations' context is not made for threads, a Beam worker may have several."""


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """`unexpected` counts rows (of a table-wide expectation: columns, or 1); `examples` are up to three ids, sorted."""

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
    """The process's only context, data source and asset; every frame is a batch of it. It writes no file."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it tells of its own set-up in 200 lines
    gc.disable()  # nothing of what an import makes is garbage, and to look through it takes a fifth of its time
    import great_expectations
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    gc.enable()
    config = DataContextConfig(store_backend_defaults=InMemoryStoreBackendDefaults(), analytics_enabled=False)
    context = great_expectations.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("frame")


def validate(
    frame: pd.DataFrame, rules: Iterable[Rule], result_format: dict[str, Any]
) -> dict[tuple[str, str | None], "ExpectationValidationResult"]:
    """(name, column) → Great Expectations' own result, for every rule."""
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
    """Every expectation of `suite` over every row of `frame`; rows that fail are looked up only where some do.

    An expectation that cannot be evaluated, as for want of its column, has failed. Raises SuiteError where a column
    of counts is not int64: Great Expectations would pass over its nulls.
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
    """The result of one suite over many shards, the same in whatever order they come: counts are summed, the first
    example ids kept. Raises ValueError where there is no result or they are of several suites.
    """
    results = list(results)
    if len({result.suite for result in results}) != 1:
        raise ValueError(f"only results of one suite merge, not of {sorted({result.suite for result in results})}")
    return SuiteResult(
        results[0].suite,
        sum(result.rows for result in results),
        tuple(
            ExpectationResult(
                same[0].name,
                same[0].column,
                same[0].meaning,
                all(expectation.success for expectation in same),
                sum(expectation.unexpected for expectation in same),
                first(example for expectation in same for example in expectation.examples),
            )
            for same in zip(*(result.expectations for result in results), strict=True)
        ),
    )


def failure_lines(results: Iterable[SuiteResult]) -> list[str]:
    """One line for every expectation that failed: which, what it means, how often, and up to three ids."""
    return [
        f"{result.suite}: {e.name}{f' of {e.column}' if e.column else ''}: {e.unexpected} unexpected: {e.meaning}"
        + (f" See {', '.join(e.examples)}." if e.examples else "")
        for result in results
        for e in result.expectations
        if not e.success
    ]
