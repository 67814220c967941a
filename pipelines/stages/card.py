"""reports/stats.json → the dataset card in English and Chinese, croissant.json and dataset_info.json."""

from functools import partial

from pipelines import manifests
from pipelines.config import Config
from pipelines.describe import card, croissant, dataset_info
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.stages.build_settings import BuildSettings
from transforms import files


def stage(build: BuildSettings) -> Stage:
    return Stage(
        "card",
        needs=("validate", "report"),
        folders=("card",),
        inputs=[],
        modules=(__name__,),
        data=("pipelines/describe/citations.bib", "pipelines/describe/templates"),
        run=partial(run, build.config),
        files=("README.md", "README_zh.md", "croissant.json", "dataset_info.json"),
        form=manifests.Carded,
    )


def run(config: Config, output: str) -> dict:
    counts = files.read_json(f"{output}/reports/stats.json", dict)
    shards = croissant.shards_of(output, gather.manifest(output, "data")["shards"])
    files.write_text(f"{output}/README.md", card.render(counts))
    files.write_text(f"{output}/README_zh.md", card.render(counts, lang="zh"))
    files.write_text(f"{output}/croissant.json", croissant.render(counts, shards))
    files.write_text(f"{output}/dataset_info.json", dataset_info.render(counts))
    return {"config": config.model_dump(mode="json")}
