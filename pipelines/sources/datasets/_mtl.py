"""The forms of the biomedical NER datasets in MTL-Bioinformatics-2016 (Crichton et al. 2017): token<TAB>tag.

Files: https://github.com/cambridgeltl/MTL-Bioinformatics-2016, `data/SET-IOB` or `data/SET-IOBES`, each with train.tsv,
devel.tsv and test.tsv of tokenised sentences.
"""

from functools import partial

from pipelines.sources import Form
from transforms.formats import columns

read = partial(columns.read, columns=2, separator="\t")
NAMES = ("train.tsv", "devel.tsv", "test.tsv")


def forms(collapsed: bool = False) -> tuple[Form, ...]:
    """Forms for the IOB files, or else the IOBES files with the same content. `collapsed`: see `Form.collapsed`.

    Folders with only one of several types (BC5CDR-chem-IOB) are not read: entities of the other types are unlabelled
    in them.
    """
    one_type = ("*BC5CDR-chem-*", "*BC5CDR-disease-*")
    return (
        Form(read, NAMES, exclude=("*-IOBES/*", *one_type), collapsed=collapsed),
        Form(read, tuple(f"*-IOBES/{name}" for name in NAMES), exclude=one_type, collapsed=collapsed),
    )
