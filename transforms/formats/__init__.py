"""One module a file format. A reader takes the files of one split and yields RawExamples and BadRecords.

Readers know nothing of datasets: what differs between two datasets of one format is an argument.
They never raise for a bad record (that is a BadRecord with its place); a file that cannot be read at all is a
SourceError.
"""
