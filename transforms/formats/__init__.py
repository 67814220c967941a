"""One module per file format. A reader takes the files of one split and yields RawExamples and BadRecords.

Readers do not depend on datasets: differences between datasets with the same format are arguments. They never raise for
a bad record, but yield a BadRecord with its place. A file that cannot be read at all raises a SourceError.
"""
