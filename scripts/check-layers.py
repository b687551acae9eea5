#!/usr/bin/env python3
"""Checks that the folders of src/ include only what stands above them.

The rule: the layers below form an ordered list, and a file may include headers of its own folder
and of those before it in the list. Siblings never include each other: one database's connector and
another's, connectors and cache, brokers and cache, brokers and connectors. What all connectors
share (src/connectors/*) knows none of them. The public headers (include/ustream) stand above
everything: any file may include them, and they include nothing of src/.

Usage: check-layers.py [--root DIR] [--self-test]
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

LAYERS = [
    "base",
    "model",
    "query",
    "telemetry",
    "security",
    "resilience",
    "cache",
    "connectors",
    "brokers",
    "stream",
    "package",
    "gateway",
    "app",
]

SIBLINGS = [{"connectors", "cache"}, {"brokers", "cache"}, {"brokers", "connectors"}]

PUBLIC = "include/ustream"

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SUFFIXES = {".cpp", ".hpp", ".h", ".cc", ".ipp", ".inl"}


class Place:
    """Where a file stands: the public headers, or a layer and perhaps a database's folder in it."""

    def __init__(self, layer, database=None):
        self.layer = layer
        self.database = database

    def __str__(self):
        return f"{self.layer}/{self.database}" if self.database else self.layer


def place_of(path):
    """The place of a path relative to the root, or None for one that is in no layer."""
    parts = path.parts
    if parts[:2] == ("include", "ustream"):
        return Place(PUBLIC)
    if len(parts) >= 2 and parts[0] == "src":
        is_database = parts[1] == "connectors" and len(parts) > 3
        return Place(parts[1], parts[2] if is_database else None)
    return None


def normalise(path):
    """Resolves '.' and '..' without asking the file system."""
    parts = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part not in (".", ".."):
            parts.append(part)
    return Path(*parts) if parts else Path()


def target_of(root, source, name, quoted):
    """The path, relative to the root, that an include names; None for another library's header."""
    written = Path(name)
    candidates = [normalise(source.parent / written)] if quoted else []
    candidates += [Path("include") / normalise(written), Path("src") / normalise(written)]
    for candidate in candidates:
        if candidate.parts[:1] in (("src",), ("include",)) and (root / candidate).is_file():
            return candidate
    # A header that is not there: its name tells the layer all the same.
    if written.parts[0] == "ustream":
        return Path("include") / written
    if written.parts[0] in LAYERS and len(written.parts) > 1:
        return Path("src") / written
    return None


def objection(source, target):
    """Why source may not include target, or None when it may."""
    if target.layer == PUBLIC:
        return None
    if source.layer == PUBLIC:
        return f"a public header includes {target}, which is private"
    for place in (source, target):
        if place.layer not in LAYERS:
            return f"src/{place.layer} is not in the list of layers"
    if source.layer == target.layer:
        if target.database and source.database != target.database:
            if source.database:
                return f"{source} and {target} are siblings"
            return f"{source} is shared by all connectors and may not know {target}"
        return None
    if {source.layer, target.layer} in SIBLINGS:
        return f"{source} and {target} are siblings"
    if LAYERS.index(target.layer) > LAYERS.index(source.layer):
        return f"{target} stands below {source}"
    return None


def check(root):
    """Returns (violations, files, includes) for the project at root."""
    violations, files, includes = [], 0, 0
    paths = [
        path
        for folder in ("include", "src")
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in SUFFIXES and path.is_file()
    ]
    for path in paths:
        files += 1
        source_path = path.relative_to(root)
        source = place_of(source_path)
        if source is None or (source.layer != PUBLIC and source.layer not in LAYERS):
            violations.append(f"{source_path}:1: this folder is not in the list of layers")
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quoted = match.group(1) is not None
            name = match.group(1) or match.group(2)
            target_path = target_of(root, source_path, name, quoted)
            if target_path is None:
                continue
            includes += 1
            target = place_of(target_path)
            why = objection(source, target) if target else f"{target_path} is in no layer"
            if why:
                violations.append(f"{source_path}:{number}: {name}: {why}")
    return violations, files, includes


# file, its one include, and whether that is allowed
SELF_TEST = [
    ("src/base/clock.cpp", '"base/clock.hpp"', True),
    ("src/base/clock.cpp", '"clock.hpp"', True),
    ("src/base/clock.cpp", "<ustream/error.hpp>", True),
    ("src/base/clock.cpp", "<vector>", True),
    ("src/base/clock.cpp", '"model/value.hpp"', False),
    ("src/base/clock.cpp", "<model/value.hpp>", False),
    ("src/base/clock.cpp", '"../model/value.hpp"', False),
    ("src/base/clock.cpp", '"model/not_there.hpp"', False),
    ("src/model/value.cpp", '"base/clock.hpp"', True),
    ("src/model/value.cpp", '  "base/clock.hpp"', True),
    ("src/query/parser.cpp", '"stream/path.hpp"', False),
    ("src/stream/path.cpp", '"cache/layer.hpp"', True),
    ("src/stream/path.cpp", '"connectors/registry.hpp"', True),
    ("src/stream/path.cpp", '"package/wiring.hpp"', False),
    ("src/connectors/registry.cpp", '"cache/layer.hpp"', False),
    ("src/connectors/registry.cpp", '"connectors/sqlite/crud.hpp"', False),
    ("src/connectors/registry.cpp", '"sqlite/crud.hpp"', False),
    ("src/connectors/sqlite/crud.cpp", '"connectors/registry.hpp"', True),
    ("src/connectors/sqlite/crud.cpp", '"connectors/sqlite/crud.hpp"', True),
    ("src/connectors/sqlite/crud.cpp", '"crud.hpp"', True),
    ("src/connectors/sqlite/crud.cpp", '"connectors/mysql/crud.hpp"', False),
    ("src/connectors/sqlite/crud.cpp", '"../mysql/crud.hpp"', False),
    ("src/cache/layer.cpp", '"connectors/registry.hpp"', False),
    ("src/brokers/nats.cpp", '"cache/layer.hpp"', False),
    ("src/brokers/nats.cpp", '"connectors/registry.hpp"', False),
    ("src/brokers/nats.cpp", '"model/value.hpp"', True),
    ("src/app/main.cpp", '"package/wiring.hpp"', True),
    ("src/elsewhere/thing.cpp", "<vector>", False),
    ("include/ustream/error.hpp", "<ustream/value.hpp>", True),
    ("include/ustream/error.hpp", '"ustream/value.hpp"', True),
    ("include/ustream/error.hpp", '"value.hpp"', True),
    ("include/ustream/error.hpp", '"base/clock.hpp"', False),
    ("include/ustream/error.hpp", '"../../src/base/clock.hpp"', False),
]

SELF_TEST_HEADERS = [
    "include/ustream/error.hpp",
    "include/ustream/value.hpp",
    "src/base/clock.hpp",
    "src/model/value.hpp",
    "src/cache/layer.hpp",
    "src/connectors/registry.hpp",
    "src/connectors/sqlite/crud.hpp",
    "src/connectors/mysql/crud.hpp",
    "src/stream/path.hpp",
    "src/package/wiring.hpp",
]


def self_test():
    failed = 0
    for name, include, allowed in SELF_TEST:
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            for header in SELF_TEST_HEADERS:
                (root / header).parent.mkdir(parents=True, exist_ok=True)
                (root / header).write_text("#pragma once\n")
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(f"// a comment\n#include {include}\n")
            violations, _, _ = check(root)
            where = "1" if "not in the list" in "".join(violations) else "2"
            good = not violations if allowed else len(violations) == 1
            if violations and not violations[0].startswith(f"{name}:{where}:"):
                good = False
            if not good:
                failed += 1
                expected = "be allowed" if allowed else "be a violation"
                print(f"{name} including {include} should {expected}; found {violations}")
    print(f"self-test: {len(SELF_TEST)} cases, {failed} failed")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true", help="prove that violations are found")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    violations, files, includes = check(options.root)
    for violation in violations:
        print(violation)
    print(
        f"layers: {files} files, {includes} includes checked, {len(violations)} violations",
        file=sys.stderr if violations else sys.stdout,
    )
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
