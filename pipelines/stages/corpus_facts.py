"""The results and facts of all shards → the result of the corpus suite, reports/validation.json and Data Docs."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import msgspec

from pipelines.build_reports import DATA_DOCS, VALIDATION
from schemas import json_values
from transforms import files
from validation import profile, report
from validation.check import SuiteResult, check, merge
from validation.suites import CORPUS_CULPRITS


def conclude(lines: list[str], output: str) -> None:
    """Merges the results of all shards, checks their facts with the corpus suite, and writes the results and Data Docs.

    `lines`: JSON objects with a `result` or with `facts`.
    """
    parts = [msgspec.json.decode(line) for line in sorted(lines)]
    by_suite: dict[str, list[SuiteResult]] = {}
    for part in parts:
        if "result" in part:
            result = msgspec.convert(part["result"], SuiteResult)
            by_suite.setdefault(result.suite, []).append(result)
    results = [merge(group) for _, group in sorted(by_suite.items())]
    facts = add_up(part["facts"] for part in parts if "facts" in part)
    results.append(check("corpus", profile.corpus_profile(facts)))
    files.write_text(f"{output}/{DATA_DOCS}", report.data_docs(results))
    files.write_text(f"{output}/{VALIDATION}", json_values.render(results))


def add_up(facts: Iterable[dict]) -> list[profile.SplitFacts]:
    """Adds up the facts of shards per folder and split. Shards with overlapping example numbers have repeated ids.

    A split without rows and faults is left out, since all its rows may have been dropped, or may ask for no label. A
    fault of a split without shards is kept, so that the suite fails.
    """
    totals: dict[tuple[str, str], Counter] = {}
    culprits: dict[tuple[str, str], dict[str, list[str]]] = {}
    ranges: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for fact in facts:
        at = fact["folder"], fact["split"]
        total, ids = totals.setdefault(at, Counter()), culprits.setdefault(at, {})
        for name in ("manifest_rows", "rows", "negatives", "positives"):
            total[name] += fact.get(name, 0)
        total["negative_ratio"] = fact.get("negative_ratio", total["negative_ratio"])
        for name in CORPUS_CULPRITS:
            total[name] += fact.get(name, {}).get("count", 0)
            ids.setdefault(name, []).extend(fact.get(name, {}).get("ids", ()))
        for prefix, low_high in fact.get("ordinals", {}).items():
            ranges.setdefault((*at, prefix), []).append(tuple(low_high))
    for (folder, split, prefix), pairs in ranges.items():
        pairs.sort()
        for (_, high), (low, _) in pairwise(pairs):
            if low <= high:
                totals[folder, split]["repeated_ids"] += 1
                culprits[folder, split].setdefault("repeated_ids", []).append(f"{prefix}/{low}")
    return [
        profile.SplitFacts(
            f"{folder}/{split}",
            split,
            total["manifest_rows"],
            total["rows"],
            negatives=total["negatives"],
            positives=total["positives"],
            negative_ratio=total["negative_ratio"],
            **{
                name: profile.Culprits(total[name], tuple(sorted(culprits[folder, split].get(name, ()))[:3]))
                for name in CORPUS_CULPRITS
            },
        )
        for (folder, split), total in sorted(totals.items())
        if any(total[name] for name in ("manifest_rows", "rows", *CORPUS_CULPRITS))
    ]
