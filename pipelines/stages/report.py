"""reports/stats.json and samples of the rows → reports/report.html, one page that shows the build."""

from pipelines.engine.dag import Stage
from pipelines.report import page
from pipelines.stages.build_settings import BuildSettings
from transforms import files


def stage(build: BuildSettings) -> Stage:
    return Stage(
        "report",
        needs=("validate",),
        folders=("reports/report",),
        inputs=[],
        modules=(__name__,),
        data=("pipelines/report/templates",),
        run=run,
        files=("reports/report.html",),
    )


def run(output: str) -> dict:
    counts = files.read_json(f"{output}/reports/stats.json", dict)
    files.write_text(f"{output}/reports/report.html", page.page(output, counts))
    return {}
