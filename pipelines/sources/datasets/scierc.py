"""SciERC: entities and their relations in abstracts of AI papers; DyGIE documents, read sentence by sentence."""

from pipelines.sources import Download, Form, Licence, Source
from schemas.label import Label
from transforms.formats import spert, token_spans

SOURCE = Source(
    name="SciERC",
    title="SciERC",
    tasks=("NER", "RE", "SPO"),
    lang="en",
    domain="science",
    licence=Licence.ASK,
    licence_text="none stated",
    homepage="http://nlp.cs.washington.edu/sciIE/",
    get="sciERC_processed.tar.gz: processed_data/json/{train,dev,test}.json into scierc/ (folders may stay)",
    downloads=(Download("http://nlp.cs.washington.edu/sciIE/data/sciERC_processed.tar.gz", ("*/json/*.json",)),),
    citation="luan2018scierc",
    forms=(
        Form(token_spans.read, include=("train.json", "dev.json", "test.json"), exclude=("*spert*",)),
        Form(spert.read, include=("scierc_*.json", "*spert*/*.json"), exclude=("*types*",)),
    ),
    entity_labels={
        "Generic": Label("generic", "a general word or pronoun that stands for a task, method or other term"),
        "Material": Label("material", "a data set, corpus, knowledge base or other resource"),
        "Method": Label("method", "a model, algorithm, system, tool or framework"),
        "Metric": Label("metric", "a measure by which results are judged"),
        "OtherScientificTerm": Label("other scientific term", "a scientific phrase that fits no other type"),
        "Task": Label("task", "a problem to solve, an application or a system's purpose"),
    },
    relation_labels={
        "COMPARE": Label("compare", "two entities are set against each other; symmetric"),
        "CONJUNCTION": Label("conjunction", "two entities play the same part or are used together; symmetric"),
        "EVALUATE-FOR": Label("evaluate for", "a metric or resource serves to judge an entity"),
        "FEATURE-OF": Label("feature of", "a property of an entity, or the domain that it belongs to"),
        "HYPONYM-OF": Label("hyponym of", "an entity is a kind of a more general one"),
        "PART-OF": Label("part of", "an entity is a component of another"),
        "USED-FOR": Label("used for", "an entity serves, models or solves another, or another builds on it"),
    },
)
