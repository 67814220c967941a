"""reports/stats.json → the dataset card in English and Chinese, croissant.json and dataset_info.json."""

from functools import partial

from pipelines.build_folder import read_result
from pipelines.build_reports import read_statistics
from pipelines.config import Config
from pipelines.describe import card, croissant, dataset_info
from pipelines.describe.example_rows import example_rows
from pipelines.describe.form_examples import form_examples
from pipelines.engine.dag import Stage
from pipelines.stages.build_settings import BuildSettings
from schemas.manifests import Carded, Ingested, Instructed
from transforms import files


def stage(build: BuildSettings) -> Stage:
    return Stage(
        "card",
        needs=("validate", "report"),
        folders=("card",),
        inputs=[build.config.card.model_dump()],
        modules=(__name__,),
        data=("pipelines/describe/citations.bib", "pipelines/describe/templates"),
        run=partial(run, build.config),
        files=("README.md", "README_zh.md", "croissant.json", "dataset_info.json"),
        form=Carded,
    )


def run(config: Config, output: str) -> Carded:
    statistics = read_statistics(output)
    written = read_result(output, Instructed).shards
    shards = croissant.shards_of(output, written)
    forms = form_examples(output, written, statistics.sources)
    parts = card.Parts(
        title=config.card.title,
        is_build=True,
        rows=example_rows(output, written, card.shareable(statistics)),
        forms=forms,
        annotators=read_result(output, Ingested).annotators,
    )
    for lang, name in (("en", "README.md"), ("zh", "README_zh.md")):
        files.write_text(f"{output}/{name}", card.render(statistics, lang, parts))
    files.write_text(f"{output}/croissant.json", croissant.render(statistics, shards))
    files.write_text(f"{output}/dataset_info.json", dataset_info.render(statistics.instructions))
    return Carded(config.model_dump(mode="json"))
