"""The forms in which MTL-Bioinformatics-2016 spreads biomedical NER sets (Crichton et al. 2017): token<TAB>tag.

Files: https://github.com/cambridgeltl/MTL-Bioinformatics-2016, `data/SET-IOB` or `data/SET-IOBES`, each with train.tsv,
devel.tsv and test.tsv of tokenised sentences.
"""

from functools import partial

from pipelines.sources import Form
from transforms.formats import columns

read = partial(columns.read, columns=2, separator="\t")
NAMES = ("train.tsv", "devel.tsv", "test.tsv")


def forms(collapsed: bool = False) -> tuple[Form, ...]:
    """The IOB files, or else the IOBES ones, which hold the same. `collapsed`: they have the source's one label.

    Folders that hold one type of several alone (BC5CDR-chem-IOB) are not read: what is of another type is no entity
    in them.
    """
    one_type = ("*BC5CDR-chem-*", "*BC5CDR-disease-*")
    return (
        Form(read, NAMES, exclude=("*-IOBES/*", *one_type), collapsed=collapsed),
        Form(read, tuple(f"*-IOBES/{name}" for name in NAMES), exclude=one_type, collapsed=collapsed),
    )
