"""The reports of a build: where they lie, and the typed readers of them. They raise what those of `build_folder` do."""

from pipelines.build_folder import AGAIN
from schemas.build_statistics import Statistics
from transforms import files
from validation.check import SuiteResult

STATISTICS = "reports/stats.json"
VALIDATION = "reports/validation.json"
DATA_DOCS = "reports/data_docs/index.html"
REPORT = "reports/report.html"


def read_statistics(output: str) -> Statistics:
    """Of a build or a release."""
    return files.read_json(f"{output}/{STATISTICS}", Statistics, AGAIN)


def read_results(output: str) -> list[SuiteResult]:
    """The results of the suites."""
    return files.read_json(f"{output}/{VALIDATION}", list[SuiteResult], AGAIN)
