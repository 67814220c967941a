"""FabNER: twelve entity types of manufacturing over abstracts of process science; one token per line, IOBES."""

from functools import partial

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import columns

SOURCE = Source(
    name="FabNER",
    title="FabNER",
    tasks=("NER",),
    lang="en",
    domain="science",
    licence=Licence.ASK,
    licence_text="none stated in the repository",
    homepage="https://doi.org/10.6084/m9.figshare.14782407",
    get="the homepage: S1-test.txt, S2-train.txt, S3-val.txt into fabner/",
    citation="kumar2022fabner",
    forms=(Form(partial(columns.read, columns=2), include=("S1-test.txt", "S2-train.txt", "S3-val.txt")),),
    entity_labels={
        "APPL": Label("application", "what a process or a part is used for, as aerospace or repair"),
        "BIOP": Label("biomedical", "a biological or medical term, as a tissue, an implant or a cell"),
        "CHAR": Label("process characterization", "a technique that examines a process or a material, as microscopy"),
        "CONPRI": Label("concept or principle", "a general notion of engineering, as geometry, defect or simulation"),
        "ENAT": Label("enabling technology", "a technology that makes a process possible, as machine learning or CAD"),
        "FEAT": Label("engineering feature", "a shape or part of a workpiece, as a hole, a joint or a layer"),
        "MACEQ": Label("machine or equipment", "a machine, tool, sensor or other device of a process"),
        "MANP": Label("manufacturing process", "a way of making or joining things, as milling or welding"),
        "MANS": Label("manufacturing standard", "a norm or standard to which things are made or tested"),
        "MATE": Label("material", "a metal, polymer, powder, fluid or other material"),
        "PARA": Label("process parameter", "a quantity set or measured in a process, as feed rate or laser power"),
        # This spelling is that of the published corpora, dictionaries and models.
        "PRO": Label("machanical property", "a property of a material or part, as strength, hardness or porosity"),
    },
)
