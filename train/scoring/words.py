"""What the pages of scores, comparisons and trainings say, and the tables that a terminal shows as well."""

from pathlib import Path

from transforms.pages.phrases import Phrasebook, read

TEMPLATES = Path(__file__).parent / "templates"

say = Phrasebook(read(TEMPLATES))
