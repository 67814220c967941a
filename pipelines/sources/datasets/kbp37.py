"""KBP37: relations of people and organizations between two marked mentions of a sentence; blocks as in SemEval.

A block with an empty mention (`<e1> </e1>`) has nothing to extract. It is rejected if it has a relation. With
no_relation (15 blocks of train and dev) the sentence is kept as one without relations.
"""

from functools import partial

from pipelines.sources import Form, Licence, Source, github
from schemas.label import Label
from transforms.formats import blocks

ALTERNATE_NAMES = Label("alternate names", "a person or organization and another name for them")

SOURCE = Source(
    name="kbp37",
    title="KBP37",
    tasks=("RE",),
    lang="en",
    domain="news",
    licence=Licence.ASK,
    licence_text="none stated",
    homepage="https://github.com/zhangdongxu/kbp37",
    get="github.com/zhangdongxu/kbp37: train.txt, dev.txt, test.txt into kbp37/",
    downloads=github("zhangdongxu/kbp37", ("train.txt", "dev.txt", "test.txt")),
    citation="zhang2015relation",
    forms=(Form(partial(blocks.read, undirected=("no_relation",)), include=("train.txt", "dev.txt", "test.txt")),),
    relation_labels={
        "org:alternate_names": ALTERNATE_NAMES,
        "org:city_of_headquarters": Label("city of headquarters", "an organization and the city of its head office"),
        "org:country_of_headquarters": Label(
            "country of headquarters", "an organization and the country of its head office"
        ),
        "org:founded": Label("founded", "an organization and the date when it was founded"),
        "org:founded_by": Label("founded by", "an organization and the person who founded it"),
        "org:members": Label("members", "an organization and another that belongs to it without being owned by it"),
        "org:stateorprovince_of_headquarters": Label(
            "state or province of headquarters", "an organization and the state or province of its head office"
        ),
        "org:subsidiaries": Label("subsidiaries", "an organization and another that it owns or controls"),
        "org:top_members/employees": Label(
            "top members employees", "an organization and a person who leads it or is high in it"
        ),
        "per:alternate_names": ALTERNATE_NAMES,
        "per:cities_of_residence": Label("cities of residence", "a person and a city where he or she lives or lived"),
        "per:countries_of_residence": Label(
            "countries of residence", "a person and a country where he or she lives or lived"
        ),
        "per:country_of_birth": Label("country of birth", "a person and the country where he or she was born"),
        "per:employee_of": Label("employee of", "a person and the organization that he or she works for"),
        "per:origin": Label("origin", "a person and the nation or people that he or she comes from"),
        "per:spouse": Label("spouse", "a person and his or her husband or wife"),
        "per:stateorprovinces_of_residence": Label(
            "state or provinces of residence", "a person and a state or province where he or she lives or lived"
        ),
        "per:title": Label("title of person", "a person and his or her job, rank or title"),
        "no_relation": None,
    },
    one_pair=True,
)
