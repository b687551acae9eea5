#!/usr/bin/env python3
"""Runs a command and prints what it took as a line of JSON: measure.py SECONDS COMMAND...

wall and cpu are seconds, rss is the largest resident set in MiB of any of its processes. What the
command prints as JSON is in "said", why it failed in "error". SECONDS is the time it may take.
"""
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time


def shortened(text):
    """The beginning and the end, in one line."""
    text = " ".join(text.split())
    return text if len(text) <= 500 else text[:250] + " … " + text[-250:]


def main():
    limit, command = float(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        for deadly in (signal.SIGINT, signal.SIGTERM):
            signal.signal(deadly, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, limit)
        status = process.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
        wall = time.monotonic() - begin
        out.seek(0)
        err.seek(0)
        lines = out.read().decode(errors="replace").strip().splitlines()
        errors = err.read().decode(errors="replace").strip()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "wall": round(wall, 3),
        "cpu": round(used.ru_utime + used.ru_stime, 3),
        "rss": round(used.ru_maxrss / 1024, 1),
    }
    try:
        result["said"] = json.loads(lines[-1])
    except (IndexError, ValueError):
        pass
    if status != 0:
        late = f"not done after {limit:.0f} s; " if wall >= limit else ""
        result["error"] = f"{late}exit {status}: {shortened(errors)}"
    print(json.dumps(result))


main()
