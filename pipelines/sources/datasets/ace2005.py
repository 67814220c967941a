"""ACE 2005, English: nested entities, typed relations and 33 event types in news, talk and web text.

Entities are whole phrases (the extent), as in the published NER corpora. Heads and tails of relations and event
arguments are head words or names, as in the published relation and event corpora; values and times have no head and
are whole phrases. Repeated mentions of the same phrase or pair are kept once; heads, tails and arguments refer to the
id of the first. Names, nouns and pronouns are all annotated as mentions.
"""

from functools import partial

from pipelines.sources import Form, Licence, Source
from pipelines.sources.datasets import _table
from pipelines.sources.datasets._roles import Description, describe_roles
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation
from schemas.label import Label
from transforms.formats import ace

EVENT_TYPES = (  # raw label, name, what happens, roles in the order of the annotation guide
    ("Life.Be-Born", "born", "a person is born", "Person Time Place"),
    ("Life.Marry", "marry", "two people marry", "Person Time Place"),
    ("Life.Divorce", "divorce", "a married couple divorces", "Person Time Place"),
    ("Life.Injure", "injure", "a person is wounded or hurt", "Agent Victim Instrument Time Place"),
    ("Life.Die", "die", "a person dies or is killed", "Agent Victim Instrument Time Place"),
    (
        "Movement.Transport",
        "transport",
        "people or things move from one place to another",
        "Agent Artifact Vehicle Price Origin Destination Time Place",
    ),
    (
        "Transaction.Transfer-Ownership",
        "transfer ownership",
        "things or organizations are bought, sold, lent or given",
        "Buyer Seller Beneficiary Artifact Price Time Place",
    ),
    (
        "Transaction.Transfer-Money",
        "transfer money",
        "money is given, received, borrowed or lent",
        "Giver Recipient Beneficiary Money Time Place",
    ),
    ("Business.Start-Org", "start organization", "an organization is founded", "Agent Org Time Place"),
    ("Business.Merge-Org", "merge organization", "two or more organizations become one", "Org Time Place"),
    (
        "Business.Declare-Bankruptcy",
        "declare bankruptcy",
        "an organization asks for protection from its debts",
        "Org Time Place",
    ),
    ("Business.End-Org", "end organization", "an organization ceases to exist", "Org Time Place"),
    ("Conflict.Attack", "attack", "a violent act causes harm or damage", "Attacker Target Instrument Time Place"),
    ("Conflict.Demonstrate", "demonstrate", "people gather in public to protest or demand", "Entity Time Place"),
    ("Contact.Meet", "meet", "people come together face to face", "Entity Time Place"),
    ("Contact.Phone-Write", "phone write", "people talk or write to each other at a distance", "Entity Time Place"),
    ("Personnel.Start-Position", "start position", "a person begins a job", "Person Entity Position Time Place"),
    ("Personnel.End-Position", "end position", "a person leaves a job", "Person Entity Position Time Place"),
    ("Personnel.Nominate", "nominate", "a person is proposed for a position", "Person Agent Position Time Place"),
    ("Personnel.Elect", "elect", "a person wins an election", "Person Entity Position Time Place"),
    ("Justice.Arrest-Jail", "arrest jail", "a person is taken or kept in custody", "Person Agent Crime Time Place"),
    ("Justice.Release-Parole", "release parole", "custody of a person ends", "Person Entity Crime Time Place"),
    (
        "Justice.Trial-Hearing",
        "trial hearing",
        "a court sits to decide on a person or an organization",
        "Defendant Prosecutor Adjudicator Crime Time Place",
    ),
    (
        "Justice.Charge-Indict",
        "charge indict",
        "someone is formally accused of a crime",
        "Defendant Prosecutor Adjudicator Crime Time Place",
    ),
    ("Justice.Sue", "sue", "a court case is begun against someone", "Plaintiff Defendant Adjudicator Crime Time Place"),
    ("Justice.Convict", "convict", "someone is found guilty", "Defendant Adjudicator Crime Time Place"),
    (
        "Justice.Sentence",
        "sentence",
        "the punishment of a defendant is given",
        "Defendant Adjudicator Crime Sentence Time Place",
    ),
    ("Justice.Fine", "fine", "someone has to pay money as a punishment", "Entity Adjudicator Money Crime Time Place"),
    ("Justice.Execute", "execute", "a state puts a person to death", "Person Agent Crime Time Place"),
    (
        "Justice.Extradite",
        "extradite",
        "a person is handed over to another state for trial or jail",
        "Agent Person Destination Origin Crime Time Place",
    ),
    ("Justice.Acquit", "acquit", "a trial ends without a conviction", "Defendant Adjudicator Crime Time Place"),
    (
        "Justice.Appeal",
        "appeal",
        "a decision is taken to a higher court",
        "Plaintiff Defendant Prosecutor Adjudicator Crime Time Place",
    ),
    ("Justice.Pardon", "pardon", "a state lifts a sentence", "Defendant Adjudicator Crime Time Place"),
)
ROLES = {role: role.lower() for _, _, _, roles in EVENT_TYPES for role in roles.split()} | {"Org": "organization"}
ROLE_DESCRIPTIONS: dict[str, Description] = {
    "Adjudicator": {
        "Justice": "the judge or court that decides the case",
        "Justice.Charge-Indict": "the judge or court before which the charge is brought",
        "Justice.Fine": "the judge, court or authority that sets the fine",
        "Justice.Pardon": "the state or official who lifts the sentence",
        "Justice.Sentence": "the judge or court that sets the punishment",
        "Justice.Trial-Hearing": "the judge or court that hears the case",
    },
    "Agent": {
        "Life.Injure": "the person or group that hurts the victim",
        "Life.Die": "the person or group that kills the victim",
        "Movement": "the person or group that moves the people or things",
        "Business": "the person or organization that founds it",
        "Personnel": "the person or body that proposes someone for the position",
        "Justice.Arrest-Jail": "the police or authority that arrests or jails the person",
        "Justice.Execute": "the person or state that carries out the death sentence",
        "Justice.Extradite": "the state or authority that hands the person over",
    },
    "Artifact": {
        "Movement": "the people or things that are moved",
        "Transaction": "the thing or organization that changes its owner",
    },
    "Attacker": "the person, group or state that attacks",
    "Beneficiary": {
        "Transaction.Transfer-Ownership": "someone else for whose benefit the thing is bought or given",
        "Transaction.Transfer-Money": "someone else for whose benefit the money is paid",
    },
    "Buyer": "the person or organization that gets the thing",
    "Crime": {
        "Justice": "the crime of which the person or organization is accused",
        "Justice.Acquit": "the crime of which the defendant is found not guilty",
        "Justice.Arrest-Jail": "the crime for which the person is arrested or jailed",
        "Justice.Convict": "the crime of which the defendant is found guilty",
        "Justice.Execute": "the crime for which the person is put to death",
        "Justice.Extradite": "the crime for which the person is wanted or handed over",
        "Justice.Fine": "the crime or offence for which the fine is paid",
        "Justice.Pardon": "the crime for which the sentence was given",
        "Justice.Release-Parole": "the crime for which the person was in custody",
        "Justice.Sentence": "the crime for which the defendant is punished",
        "Justice.Sue": "the wrong or offence over which the case is brought",
    },
    "Defendant": {
        "Justice.Acquit": "the person or organization found not guilty",
        "Justice.Appeal": "the person or organization whose case goes to a higher court",
        "Justice.Charge-Indict": "the person or organization accused of the crime",
        "Justice.Convict": "the person or organization found guilty",
        "Justice.Pardon": "the person whose sentence is lifted",
        "Justice.Sentence": "the person or organization whose punishment is given",
        "Justice.Sue": "the person or organization against which the case is brought",
        "Justice.Trial-Hearing": "the person or organization on trial or at the hearing",
    },
    "Destination": {
        "Movement": "the place to which the people or things are moved",
        "Justice": "the state or place to which the person is handed over",
    },
    "Entity": {
        "Conflict": "the people or group who protest or demand",
        "Contact.Meet": "the people or organizations that come together",
        "Contact.Phone-Write": "the people or organizations that talk or write to each other",
        "Personnel.Start-Position": "the organization or state that the person begins to work for",
        "Personnel.End-Position": "the organization or state that the person worked for",
        "Personnel.Elect": "the voters or body that elect the person",
        "Justice.Fine": "the person or organization that has to pay",
        "Justice.Release-Parole": "the state or authority that lets the person go",
    },
    "Giver": "the person or organization that pays or lends the money",
    "Instrument": {
        "Life.Injure": "the weapon or other thing by which the victim is hurt",
        "Life.Die": "the weapon or other thing by which the victim is killed",
        "Conflict": "the weapon or other thing used in the attack",
    },
    "Money": {
        "Transaction": "the sum of money that is given, paid or lent",
        "Justice": "the sum of money that has to be paid as a fine",
    },
    "Org": {
        "Business.Start-Org": "the organization that is founded",
        "Business.Merge-Org": "the organizations that become one",
        "Business.Declare-Bankruptcy": "the organization that cannot pay its debts",
        "Business.End-Org": "the organization that ceases to exist",
    },
    "Origin": {
        "Movement": "the place from which the people or things are moved",
        "Justice": "the state or place from which the person is handed over",
    },
    "Person": {
        "Life.Be-Born": "the person who is born",
        "Life.Marry": "the people who marry each other",
        "Life.Divorce": "the people who end their marriage",
        "Personnel.Start-Position": "the person who begins the job",
        "Personnel.End-Position": "the person who leaves the job",
        "Personnel.Nominate": "the person who is proposed for the position",
        "Personnel.Elect": "the person who is elected",
        "Justice.Arrest-Jail": "the person who is arrested or jailed",
        "Justice.Execute": "the person who is put to death",
        "Justice.Extradite": "the person who is handed over",
        "Justice.Release-Parole": "the person who is let out of custody",
    },
    "Place": "the place where the event happens",
    "Plaintiff": {
        "Justice.Sue": "the person or organization that begins the case",
        "Justice.Appeal": "the person or organization that takes the case to the higher court",
    },
    "Position": {
        "Personnel.Start-Position": "the job or title that the person takes up",
        "Personnel.End-Position": "the job or title that the person gives up",
        "Personnel.Nominate": "the job or office that the person is proposed for",
        "Personnel.Elect": "the office that the person is elected to",
    },
    "Price": {
        "Movement": "what is paid for moving the people or things",
        "Transaction": "the sum of money paid for the thing",
    },
    "Prosecutor": "the person, authority or state that brings the charges",
    "Recipient": "the person or organization that receives or borrows the money",
    "Seller": "the person or organization that gives the thing away",
    "Sentence": "the punishment that is given, such as a prison term",
    "Target": "the people, thing or place that is attacked",
    "Time": "the date, time or period of the event",
    "Vehicle": "the car, ship or aircraft that carries the people or things",
    "Victim": {
        "Life.Injure": "the person who is wounded or hurt",
        "Life.Die": "the person who dies or is killed",
    },
}
"""Role → its description, or its descriptions by the beginnings of event types."""
STRAY_ROLES = {
    ("Conflict.Attack", "Agent"): "Attacker",
    ("Conflict.Attack", "Victim"): "Target",
    ("Life.Die", "Person"): "Victim",
    ("Movement.Transport", "Victim"): "Artifact",
}
"""(event type, role not in the annotation guide) → the role that the guide has for it. Occurs in a few documents."""

SPLITS = _table.read(__file__)


def to_example(place: str, document: ace.Document) -> RawExample:
    mentions = document.mentions

    def short(reference: str) -> Mention:
        marked = mentions[reference]
        return marked.head or marked.extent

    entities: dict[tuple[str, Mention], Entity] = {}
    ids: dict[str, str] = {}  # mention id → id of its entity
    for reference, marked in mentions.items():
        if marked.head is not None:
            entity = Entity(marked.label, marked.extent, reference)
            ids[reference] = entities.setdefault((entity.label, entity.mention), entity).id
    relations: dict[tuple, Relation] = {}
    for link in document.relations:
        ends = dict(link.arguments)
        if "Arg-1" in ends and "Arg-2" in ends:  # other relations link an entity to a time
            head, tail = ends["Arg-1"], ends["Arg-2"]
            triple = link.label, short(head), short(tail), mentions[head].label, mentions[tail].label
            relations.setdefault(triple, Relation(*triple, ids.get(head), ids.get(tail)))
    events: dict[tuple, Event] = {}
    for link in document.events:
        arguments: dict[tuple[str, Mention], Argument] = {}
        for role, reference in link.arguments:
            argument = _role(link.label, role), short(reference)
            arguments.setdefault(argument, Argument(*argument, ids.get(reference)))
        event = Event(link.label, link.trigger, tuple(arguments.values()))
        events.setdefault((link.label, link.trigger, *arguments), event)
    return RawExample(
        place,
        document.text,
        entities=tuple(entities.values()),
        relations=tuple(relations.values()),
        events=tuple(events.values()),
        lost=document.lost,
    )


def _role(label: str, role: str) -> str:
    """The role, with all time roles (`Time-Within`, `Time-Starting`, ...) merged into Time."""
    return "Time" if role.startswith("Time-") else STRAY_ROLES.get((label, role), role)


read = partial(ace.read, to_example=to_example)
splits = {f"{document}.*": split for split, documents in SPLITS.items() for document in documents} | {"*": "train"}
OTHER_LANGUAGES = ("*chinese/*", "*arabic/*")


def form(folder: str, exclude: tuple[str, ...] = ()) -> Form:
    """The form for one of the four folders, one per annotation stage of the documents."""
    include = (f"{folder}*.sgm", f"{folder}*.apf.xml")
    return Form(read, include=include, exclude=OTHER_LANGUAGES + exclude, splits=splits)


SOURCE = Source(
    name="ACE2005",
    title="ACE 2005 Multilingual Training Corpus, English",
    tasks=("NER", "RE", "SPO", "EE", "EET", "EEA"),
    lang="en",
    domain="news",
    licence=Licence.GATED,
    licence_text="LDC user agreement, no redistribution",
    homepage="https://catalog.ldc.upenn.edu/LDC2006T06",
    get="LDC2006T06: data/English/*/timex2norm/*.sgm and *.apf.xml into ace2005/ (folders may stay)",
    citation="walker2006ace",
    task_names={"EE": "ACE05", "EET": "ACE05", "EEA": "ACE05"},
    real_files_seen=False,
    forms=(form("*timex2norm/"), form("*adj/"), form("", exclude=("*fp1/*", "*fp2/*"))),
    entity_labels={
        "FAC": Label("facility", "buildings, roads, bridges and other permanent man-made structures"),
        "GPE": Label("geographical social political", "countries, states, cities and their people and governments"),
        "LOC": Label("location", "mountains, waters, continents, regions and other places without a government"),
        "ORG": Label("organization", "companies, agencies, parties, teams and other organized groups"),
        "PER": Label("person", "single people and groups of people"),
        "VEH": Label("vehicle", "things made to carry people or goods"),
        "WEA": Label("weapon", "things used to harm people or to destroy"),
    },
    relation_labels={
        "PHYS.Located": Label("located in", "a person is in a place"),
        "PHYS.Near": Label("near", "something is close to a place but not in it"),
        "PART-WHOLE.Geographical": Label("geographical part of", "a place or facility is a part of a larger one"),
        "PART-WHOLE.Subsidiary": Label("subsidiary of", "an organization is a part of a larger one or of a state"),
        "PART-WHOLE.Artifact": Label("component of", "a vehicle or weapon is a part of another"),
        "PER-SOC.Business": Label("business partner", "two people know each other through their work"),
        "PER-SOC.Family": Label("family member", "two people are relatives"),
        "PER-SOC.Lasting-Personal": Label("lasting personal tie", "two people are friends, neighbours or the like"),
        "ORG-AFF.Employment": Label("employment", "a person works for an organization or a state"),
        "ORG-AFF.Ownership": Label("ownership", "a person owns an organization"),
        "ORG-AFF.Founder": Label("founder", "a person or organization founded an organization"),
        "ORG-AFF.Student-Alum": Label("student or alumnus", "a person studies or studied at an institution"),
        "ORG-AFF.Sports-Affiliation": Label("sports affiliation", "a person plays or works for a team"),
        "ORG-AFF.Investor-Shareholder": Label("investor or shareholder", "someone holds a share of an organization"),
        "ORG-AFF.Membership": Label("membership", "a person or organization is a member of an organization"),
        "ART.User-Owner-Inventor-Manufacturer": Label(
            "user, owner, inventor or manufacturer", "someone uses, owns, invented or makes a thing"
        ),
        "GEN-AFF.Citizen-Resident-Religion-Ethnicity": Label(
            "citizen, resident, religion or ethnicity", "a person belongs to a country, place, faith or people"
        ),
        "GEN-AFF.Org-Location": Label("organization location", "an organization is based or active in a place"),
        "METONYMY": None,
    },
    event_labels={
        raw: Label(name, description, describe_roles(raw, roles.split(), ROLES, ROLE_DESCRIPTIONS))
        for raw, name, description, roles in EVENT_TYPES
    },
    role_names=ROLES,
)
