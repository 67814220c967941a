"""Configuration, sources and runner options → the stages of the build by name, in the order in which they run."""

from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.config import Config
from pipelines.engine.dag import Stage
from pipelines.sources.registry import Located
from pipelines.stages import card, clean, ingest, instruct, labels, mine, report, tokens, validate
from pipelines.stages.build_settings import BuildSettings


def plan_stages(config: Config, located: Sequence[Located], options: PipelineOptions) -> dict[str, Stage]:
    """The stages of a build. Raises MachineError if a file that decides a result cannot be read, except raw files."""
    build = BuildSettings(config, tuple(located), options)
    modules = (ingest, clean, labels, mine, instruct, tokens, validate, report, card)
    return {stage.name: stage for stage in (module.stage(build) for module in modules)}
