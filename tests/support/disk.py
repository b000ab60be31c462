"""The data directory, as an accident or a stranger handles it."""

import json
import re


def segments(server, stream):
    """The segments of a stream, oldest first."""
    return sorted((server.data_dir / "ledger" / stream).glob("*.jsonl"))


def newest_segment(server, stream):
    return segments(server, stream)[-1]


def records(server, stream):
    """Every record of a stream, oldest first."""
    lines = (line for path in segments(server, stream) for line in lines_of(path))
    # The last line may be on its way.
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def records_of(server, stream, kind):
    """What the records of one kind say."""
    return [record["body"] for record in records(server, stream) if record["kind"] == kind]


def content_of(folder):
    """Every file below a folder, with its bytes; not what is about to take another's place."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".new")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def files_with(folder, text):
    """The files below a folder in which a text stands."""
    return sorted(name for name, content in content_of(folder).items() if text.encode() in content)


def flip(path, offset):
    """Changes one bit of a file."""
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def lines_of(path):
    """The lines of a file, with their ends."""
    return path.read_bytes().splitlines(keepends=True)


def names_line(words, path, line):
    """Whether a sentence names that line of that file."""
    return re.search(re.escape(str(path)) + rf"(:| line ){line}\b", words) is not None


def chain(server, stream):
    """The records of a stream that are part of its chain."""
    records = []
    for segment in segments(server, stream):
        lines = [json.loads(line) for line in lines_of(segment) if line.endswith(b"\n")]
        while lines and records and records[-1]["hash"] != lines[0]["prev"]:
            # Written by a server that had lost its term; nobody was told that it is kept.
            records.pop()
        records += lines
    return records
