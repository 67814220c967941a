"""reports/stats.json and samples of the rows → reports/report.html, one page that presents the build."""

from pipelines.build_reports import REPORT, read_statistics
from pipelines.engine.dag import Stage
from pipelines.report import page
from pipelines.stages.build_settings import BuildSettings
from schemas.manifests import Reported
from transforms import files


def stage(build: BuildSettings) -> Stage:
    return Stage(
        "report",
        needs=("validate",),
        folders=("reports/report",),
        inputs=[],
        modules=(__name__,),
        data=("pipelines/report/templates", "transforms/pages/templates", "validation/templates"),
        run=run,
        files=(REPORT,),
        form=Reported,
    )


def run(output: str) -> Reported:
    files.write_text(f"{output}/{REPORT}", page.page(output, read_statistics(output)))
    return Reported()
