"""CrossNER AI: fourteen entity types of artificial intelligence over Wikipedia; one token per line, BIO."""

from pipelines.sources.datasets._crossner import crossner
from schemas.label import Label

SOURCE = crossner(
    "ai",
    {
        "algorithm": Label("algorithm", "a method, model or decision procedure, as k-nearest neighbours"),
        "conference": Label("conference", "a scientific conference or the body that holds it"),
        "field": Label("field", "an area of research, as machine translation"),
        "metrics": Label("metric", "a measure by which a system is judged, as recall or mean squared error"),
        "product": Label("product", "a system, piece of software, robot or tool"),
        "programlang": Label("programming language", "a language in which programs are written"),
        "researcher": Label("researcher", "a scientist or engineer who works on the field"),
        "task": Label("task", "a problem that systems are built to solve, as image classification"),
        "university": Label("university", "a university or college"),
    },
)
