"""SKE2020: relation extraction data of the 2020 Language and Intelligence Challenge, read like DuIE 2.0; held out."""

from dataclasses import replace

from pipelines.sources.datasets import duie2

SOURCE = replace(
    duie2.SOURCE,
    name="SKE2020",
    title="SKE2020",
    licence_text="none stated; contest data: non-commercial research, no redistribution",
    homepage="https://aistudio.baidu.com/datasetdetail/177191",
    get="aistudio.baidu.com/datasetdetail/177191: the JSON lines, as train_data.json, dev_data.json, test_data.json, "
    "into ske2020/ (folders may stay)",
    held_out=True,
    real_files_seen=False,
)
