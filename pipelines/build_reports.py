"""The reports of a build: their paths and typed readers. Readers raise the same errors as those of `build_folder`."""

from pipelines.build_folder import REMEDY
from schemas import familiarity
from schemas.build_statistics import Statistics
from schemas.familiarity import FamiliarityReport
from transforms import files
from validation.check import SuiteResult

STATISTICS = "reports/stats.json"
VALIDATION = "reports/validation.json"
FAMILIARITY = familiarity.PATH
DATA_DOCS = "reports/data_docs/index.html"
REPORT = "reports/report.html"


def read_statistics(output: str) -> Statistics:
    """The statistics of a build or a release."""
    return files.read_json(f"{output}/{STATISTICS}", Statistics, REMEDY)


def read_familiarity(output: str) -> FamiliarityReport:
    """How familiar the labels of test rows are from training."""
    return files.read_json(f"{output}/{FAMILIARITY}", FamiliarityReport, REMEDY)


def read_results(output: str) -> list[SuiteResult]:
    """The results of the validation suites."""
    return files.read_json(f"{output}/{VALIDATION}", list[SuiteResult], REMEDY)
