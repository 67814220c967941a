"""Files cut between lines, so that several workers read one file."""

from collections.abc import Iterable, Iterator

from transforms.files import BLOCK_BYTES, FIRST_LINES, UTF_16_MARKS, File, filesystem, source_errors


class FileRange(File, frozen=True, gc=False):
    """Whole lines of a file, which are read with the numbers that they have in the file.

    `start`, `end`: places in bytes. `before`: number of lines before `start`.
    """

    start: int
    end: int
    before: int

    def lines(self) -> Iterator[tuple[int, str]]:
        before = self.before
        for lines in self.line_lists():
            yield from enumerate(lines, before + 1)
            before += len(lines)

    def line_lists(self) -> Iterator[list[str]]:
        if self.start == 0:
            yield from super().line_lists()
            return
        for block in self.blocks():
            lines = block.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
            yield [line.removesuffix("\r") for line in lines]

    def first_lines(self, limit: int = FIRST_LINES) -> list[str]:
        """The first lines of the whole file, which tell its layout."""
        return whole_file(self).first_lines(limit)

    def _stored_blocks(self) -> Iterator[bytes]:
        system, path = filesystem(self.path)
        with source_errors(self.name), system.open_input_file(path) as stream:
            stream.seek(self.start)
            missing = self.end - self.start
            while missing and (block := stream.read(min(BLOCK_BYTES, missing))):
                missing -= len(block)
                yield block

    def _as_utf_8(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks as they are; only the first ones of a file tell whether it is UTF-16."""
        return super()._as_utf_8(blocks) if self.start == 0 else iter(blocks)


def cut(file: File, size: int) -> list[File]:
    """The file in ranges of at least `size` bytes that end where the next line does; the file itself if it is UTF-16 or
    has only one range. The last range may be shorter. Raises SourceError if the file cannot be read.
    """
    starts, place, breaks = [(0, 0)], 0, 0
    for block in file._stored_blocks():
        if place == 0 and block.startswith(UTF_16_MARKS):
            return [file]
        at = max(starts[-1][0] + size - place - 1, 0)
        while at < len(block) and (end := block.find(b"\n", at) + 1):
            starts.append((place + end, breaks + block.count(b"\n", 0, end)))
            at = end + size - 1
        place += len(block)
        breaks += block.count(b"\n")
    if starts[-1][0] == place:
        starts.pop()
    if len(starts) < 2:
        return [file]
    ends = [start for start, _ in starts[1:]] + [place]
    return [
        FileRange(file.path, file.name, start, end, before) for (start, before), end in zip(starts, ends, strict=True)
    ]


def whole_file(file: File) -> File:
    """The file of which `file` is a range, or `file` itself."""
    return File(file.path, file.name)
