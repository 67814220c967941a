"""The inputs of all stages of a build: the checked configuration, the sources and the options of the runner."""

from collections.abc import Iterable
from dataclasses import dataclass

from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.config import Config
from pipelines.sources.registry import Located
from schemas.example import TASKS
from transforms import files


@dataclass(frozen=True)
class BuildSettings:
    config: Config
    located: tuple[Located, ...]
    options: PipelineOptions

    @property
    def data_root(self) -> str:
        return files.absolute(self.config.data_root)

    @property
    def collapse(self) -> tuple[str, ...]:
        """Keys of the sources whose entity labels are collapsed to the one label of the published dataset.

        These are the sources named in the configuration, and those whose files contain only that label.
        """
        collapsed = [source.key for source in self.located if source.files and source.files.form.collapsed]
        return (*self.config.ingest.collapse, *sorted(collapsed))

    def tasks(self, keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Source key → the tasks of the source in this build, for the sources `keys`, in the order of `located`."""
        keys, wanted = set(keys), self.config.instruct.tasks
        return {
            source.key: tuple(task for task in TASKS if task in source.source.tasks and task in wanted)
            for source in self.located
            if source.key in keys
        }
