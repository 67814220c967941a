"""SemEval-2010 task 8: nine relations between two marked nominals in a sentence; blocks of sentence and relation."""

from functools import partial

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import blocks

SOURCE = Source(
    name="semval-RE",
    title="SemEval-2010 Task 8",
    tasks=("RE",),
    lang="en",
    domain="web",
    licence=Licence.OPEN,
    licence_text="CC BY 3.0",
    homepage="http://semeval2.fbk.eu/semeval2.php",
    get="SemEval2010_task8_all_data.zip: TRAIN_FILE.TXT, TEST_FILE_FULL.TXT into semeval_re/ (folders may stay)",
    citation="hendrickx2010semeval",
    forms=(
        Form(
            partial(blocks.read, undirected=("Other",)),
            # TEST_FILE.txt and TEST_FILE_CLEAN.TXT have no relations, TEST_FILE_KEY.TXT no directions.
            include=("TRAIN_FILE.TXT", "TEST_FILE_FULL.TXT"),
        ),
    ),
    relation_labels={
        "Cause-Effect": Label("cause effect", "an event or thing brings about a result; the cause is the head"),
        "Component-Whole": Label("component whole", "an object is a functional part of a larger one"),
        "Content-Container": Label("content container", "an object lies within a bounded space that holds it"),
        "Entity-Destination": Label("entity destination", "something moves or is moved towards a place"),
        "Entity-Origin": Label("entity origin", "something comes from a place, a material or an ancestor"),
        "Instrument-Agency": Label("instrument agency", "somebody uses a tool; the tool is the head"),
        "Member-Collection": Label("member collection", "an item belongs to a group without a function in it"),
        "Message-Topic": Label("message topic", "a text, talk or other communication is about a subject"),
        "Product-Producer": Label("product producer", "somebody or something makes a thing; the product is the head"),
        "Other": None,
    },
    one_pair=True,
)
