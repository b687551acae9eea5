#!/usr/bin/env python3
"""Runs ./quickstart in a pseudo-terminal and draws its last screen as docs/images/quickstart.svg.

Usage: record-quickstart.py [--seconds N] [--rows N] [--output FILE] [--replay FILE]
"""

import argparse
import os
import pty
import re
import signal
import struct
import sys
import termios
import unicodedata
from fcntl import ioctl
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 100
COMMAND = "./quickstart"

BACKGROUND, FOREGROUND, TITLE = "#1b1e28", "#d6d9e0", "#8b90a0"
COLOURS = {
    30: "#4b5163", 31: "#f07178", 32: "#a5d76e", 33: "#f3c969",
    34: "#7aa2f7", 35: "#c792ea", 36: "#7fdbca", 37: "#d6d9e0",
}
CHARACTER_WIDTH, LINE_HEIGHT, FONT_SIZE, MARGIN, BAR = 8.43, 19, 14, 16, 30

SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07]*\x07|\x1b[()][A-Z0-9]")


class Screen:
    """As much of a terminal as build tools and the quickstart use: colours, CR, erase to end."""

    def __init__(self):
        self.lines = [[]]
        self.column = 0
        self.style = (None, False, False)  # colour, bold, dim

    def put(self, character):
        line = self.lines[-1]
        line.extend([(" ", (None, False, False))] * (self.column + 1 - len(line)))
        line[self.column] = (character, self.style)
        self.column += 1

    def set_style(self, parameters):
        colour, bold, dim = self.style
        for code in [int(part or 0) for part in parameters.split(";")]:
            if code == 0:
                colour, bold, dim = None, False, False
            elif code == 1:
                bold = True
            elif code == 2:
                dim = True
            elif code == 22:
                bold = dim = False
            elif code == 39:
                colour = None
            elif code in COLOURS or code - 60 in COLOURS:
                colour = COLOURS.get(code) or COLOURS[code - 60]
        self.style = (colour, bold, dim)

    def feed(self, text):
        position = 0
        while position < len(text):
            match = SEQUENCE.match(text, position)
            if match:
                if match.group(2) == "m":
                    self.set_style(match.group(1))
                elif match.group(2) == "K":
                    del self.lines[-1][self.column :]
                position = match.end()
                continue
            character = text[position]
            position += 1
            if character == "\n":
                self.lines.append([])
                self.column = 0
            elif character == "\r":
                self.column = 0
            elif unicodedata.category(character) != "Cc":
                self.put(character)


def record(command):
    """Runs a command in a pseudo-terminal; returns (its output, its exit code)."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.environ["TERM"] = "xterm-256color"
        os.environ.pop("NO_COLOR", None)
        os.execv(command[0], command)
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    chunks = []
    try:
        while chunk := os.read(terminal, 65536):
            chunks.append(chunk)
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    except OSError:
        pass  # Linux says EIO when the other end is closed.
    except KeyboardInterrupt:
        os.kill(child, signal.SIGTERM)
        raise
    _, status = os.waitpid(child, 0)
    return b"".join(chunks).decode(errors="replace"), os.waitstatus_to_exitcode(status)


def spans(line):
    """Runs of characters of one style: (first column, text, style)."""
    runs = []
    for column, (character, style) in enumerate(line):
        if runs and runs[-1][2] == style:
            runs[-1][1].append(character)
        else:
            runs.append((column, [character], style))
    return [(column, "".join(text), style) for column, text, style in runs]


def draw(lines):
    columns = max(60, max((len(line) for line in lines), default=0))
    width = round(2 * MARGIN + columns * CHARACTER_WIDTH)
    height = BAR + MARGIN + len(lines) * LINE_HEIGHT + MARGIN // 2
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img" aria-label="A terminal running {COMMAND}">',
        f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
    ]
    for index, colour in enumerate(("#f07178", "#f3c969", "#a5d76e")):
        out.append(f'<circle cx="{20 + 18 * index}" cy="17" r="5.5" fill="{colour}"/>')
    font = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
    out.append(f'<g font-family="{font}" font-size="{FONT_SIZE}" fill="{FOREGROUND}">')
    out.append(f'<text x="{width / 2}" y="22" text-anchor="middle" fill="{TITLE}">{COMMAND}</text>')
    for row, line in enumerate(lines):
        y = BAR + MARGIN + row * LINE_HEIGHT
        for column, text, (colour, bold, dim) in spans(line):
            if not text.strip():
                continue
            indent = len(text) - len(text.lstrip())
            text = text.strip()
            attributes = f' fill="{colour}"' if colour else ""
            attributes += ' font-weight="bold"' if bold else ""
            attributes += ' opacity="0.6"' if dim else ""
            x = MARGIN + (column + indent) * CHARACTER_WIDTH
            # The length is said, so that another font keeps the columns.
            out.append(
                f'<text x="{x:.1f}" y="{y}" textLength="{len(text) * CHARACTER_WIDTH:.1f}"'
                f' xml:space="preserve"{attributes}>{escape(text)}</text>'
            )
    out += ["</g>", "</svg>", ""]
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--rows", type=int, default=26, help="how many of the last lines to show")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/images/quickstart.svg")
    parser.add_argument("--replay", type=Path, help="draw this recorded output instead of a run")
    options = parser.parse_args()

    if options.replay:
        text = options.replay.read_text()
    else:
        text, status = record([COMMAND, "--seconds", str(options.seconds)])
        if status != 0:
            print(f"{COMMAND} ended with {status}; nothing is written", file=sys.stderr)
            return 1

    screen = Screen()
    screen.feed(text)
    lines = [line for line in screen.lines]
    # The build before it is of no interest.
    for index, line in enumerate(lines):
        if "Watching" in "".join(character for character, _ in line):
            lines = lines[index:]
            break
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) > options.rows:
        lines = lines[:1] + lines[1 - options.rows :]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(draw(lines))
    print(f"{len(lines)} lines drawn to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
