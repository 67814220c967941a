"""NYT: 24 Freebase relations in New York Times sentences, distantly supervised; JSON, triples without offsets.

The files that only keep the last word of an entity (CasRel's `new_*.json`) are read if no other form is present.
"""

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import triples

TRIPLE_FILES = ("train_triples.json", "dev_triples.json", "val_triples.json", "test_triples.json")

SOURCE = Source(
    name="New-York-Times-RE",
    title="NYT (CopyRE)",
    tasks=("RE",),
    lang="en",
    domain="news",
    licence=Licence.GATED,
    licence_text="none stated; the text is that of LDC2008T19 (New York Times Annotated Corpus)",
    homepage="https://github.com/xiangrongzeng/copy_re",
    get=(
        "raw_train.json, raw_valid.json, raw_test.json of CopyRE, or exact_data/{train,valid,test}.json of SPN4RE "
        "(github.com/DianboWork/SPN4RE), into nyt/ (folders may stay)"
    ),
    citation="zeng2018extracting",
    forms=(
        Form(
            triples.read,
            include=("raw_*.json",),
        ),
        Form(
            triples.read,
            include=("train.json", "valid.json", "test.json"),
            exclude=("casrel_data/*", "triples_json/*"),
        ),
        Form(
            triples.read,
            include=(
                "train_triples.json",
                "dev_triples.json",
                "val_triples.json",
                "test_triples.json",
                "triples_json/*",
            ),
            exclude=("*rel2id*",),
        ),
        Form(triples.read, include=("new_train.json", "new_valid.json", "new_test.json")),
    ),
    relation_labels={
        "/business/company/advisors": Label("company advisors", "a company and a person who advises it"),
        "/business/company/founders": Label("company founders", "a company and a person who founded it"),
        "/business/company/industry": Label("company industry", "a company and the branch of business that it is in"),
        "/business/company/major_shareholders": Label(
            "company major shareholders", "a company and a person or firm that owns a large part of it"
        ),
        "/business/company/place_founded": Label("company founded place", "a company and the place of its foundation"),
        "/business/company_shareholder/major_shareholder_of": Label(
            "company shareholder among major shareholders", "a person or firm and a company of which they own much"
        ),
        "/business/person/company": Label("person of company", "a person and the company that he or she works for"),
        "/location/administrative_division/country": Label(
            "administrative division of country", "a state, province or region (head) and the country that it is in"
        ),
        "/location/country/administrative_divisions": Label(
            "country of administrative divisions", "a country (head) and a state, province or region of it"
        ),
        "/location/country/capital": Label("country of capital", "a country (head) and its capital"),
        "/location/location/contains": Label("location contains", "a place and a smaller one that lies in it"),
        "/location/neighborhood/neighborhood_of": Label("neighborhood of", "a part of a town and that town"),
        "/people/deceased_person/place_of_death": Label(
            "place of death", "a person and the place where he or she died"
        ),
        "/people/ethnicity/geographic_distribution": Label(
            "geographic distribution", "an ethnic group and a country or region where it lives"
        ),
        "/people/ethnicity/people": Label("ethnicity of people", "an ethnic group (head) and a person of it"),
        "/people/person/children": Label("children", "a person and his or her son or daughter"),
        "/people/person/ethnicity": Label("ethnicity", "a person (head) and his or her ethnic group"),
        "/people/person/nationality": Label("nationality", "a person and the country whose citizen he or she is"),
        "/people/person/place_lived": Label("place lived", "a person and a place where he or she lives or lived"),
        "/people/person/place_of_birth": Label("place of birth", "a person and the place where he or she was born"),
        "/people/person/profession": Label("profession", "a person and his or her profession"),
        "/people/person/religion": Label("religion", "a person and his or her faith"),
        "/sports/sports_team/location": Label("sports team of location", "a team (head) and the place it plays for"),
        "/sports/sports_team_location/teams": Label(
            "sports team location of teams", "a place (head) and a team that plays for it"
        ),
        "None": None,
    },
)
