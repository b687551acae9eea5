#!/usr/bin/env python3
"""Checks that marked code blocks in the documentation equal the files they name.

A marker stands on a line of its own, followed by a fenced code block:

    <!-- example: examples/readme/main.cpp -->

The block must be the file's text, or, with `#name` after the path, the lines of the file between
`// [name]` and `// [/name]`, less their common indentation. `--fix` rewrites the blocks.
"""

import argparse
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

BLOCK = re.compile(
    r"^<!-- example: (?P<path>[^\s#]+)(?:#(?P<part>[\w-]+))? -->\n+"
    r"(?P<fence>```+)(?P<language>[^\n]*)\n(?P<code>.*?)^(?P=fence)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
MARKER = re.compile(r"^<!-- example: .*-->$", re.MULTILINE)


def wanted(path, part):
    """The text a block must have; raises ValueError saying what is wrong."""
    file = ROOT / path
    if not file.is_file():
        raise ValueError(f"{path} does not exist")
    text = file.read_text()
    if part is None:
        return text
    match = re.search(
        rf"^[^\n]*// \[{re.escape(part)}\]\n(.*?)^[^\n]*// \[/{re.escape(part)}\]$",
        text,
        re.MULTILINE | re.DOTALL,
    )
    if match is None:
        raise ValueError(f"{path} has no part between // [{part}] and // [/{part}]")
    return textwrap.dedent(match.group(1))


def check(document, fix):
    """Returns (number of blocks, complaints)."""
    text = document.read_text()
    complaints = []
    name = document.relative_to(ROOT)
    blocks = list(BLOCK.finditer(text))
    if len(MARKER.findall(text)) != len(blocks):
        complaints.append(f"{name}: a marker is not followed by a code block")
    for match in reversed(blocks):
        line = text.count("\n", 0, match.start()) + 1
        try:
            code = wanted(match["path"], match["part"])
        except ValueError as error:
            complaints.append(f"{name}:{line}: {error}")
            continue
        if code == match["code"]:
            continue
        if fix:
            text = text[: match.start("code")] + code + text[match.end("code") :]
        else:
            complaints.append(f"{name}:{line}: the block differs from {match['path']}")
    if fix:
        document.write_text(text)
    return len(blocks), complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fix", action="store_true", help="copy the files into the blocks")
    options = parser.parse_args()
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    blocks, complaints = 0, []
    for document in documents:
        if document.is_file():
            count, found = check(document, options.fix)
            blocks += count
            complaints += found
    for complaint in complaints:
        print(complaint)
    print(f"documentation: {len(documents)} files, {blocks} code blocks, {len(complaints)} wrong")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
