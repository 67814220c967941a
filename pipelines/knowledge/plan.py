"""Configuration and runner options → the stages of `pipelines.knowledge` by name, in the order in which they run."""

from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.engine.dag import Stage
from pipelines.knowledge import entities, export, link, match, pages, score, types
from pipelines.knowledge.config import Config, KnowledgeSettings


def plan_stages(config: Config, options: PipelineOptions) -> dict[str, Stage]:
    """Raises ConfigError for an input that does not exist and for wrong themes."""
    settings = KnowledgeSettings(config, options)
    modules = (entities, types, pages, link, match, score, export)
    return {stage.name: stage for stage in (module.stage(settings) for module in modules)}
