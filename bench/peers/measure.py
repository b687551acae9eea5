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
import threading
import time


def shortened(text):
    """The beginning and the end, in one line."""
    text = " ".join(text.split())
    return text if len(text) <= 500 else text[:250] + " … " + text[-250:]


def watch_memory(pid, peaks, ended):
    """Keeps the largest resident set of the process itself, in KiB, while it runs."""
    while not ended.wait(0.005):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                peaks += [int(line.split()[1]) for line in file if line.startswith("VmHWM:")]
        except OSError:
            return


def main():
    limit, command = float(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        for deadly in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
            signal.signal(deadly, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, limit)
        peaks, ended = [0], threading.Event()
        watcher = threading.Thread(target=watch_memory, args=(process.pid, peaks, ended))
        watcher.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        signal.setitimer(signal.ITIMER_REAL, 0)
        ended.set()
        watcher.join()
        status = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        lines = out.read().decode(errors="replace").strip().splitlines()
        errors = err.read().decode(errors="replace").strip()
    # The kernel counts what the process was before exec, this interpreter, as its own memory.
    inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rss = used.ru_maxrss if used.ru_maxrss > inherited else max(peaks)
    result = {
        "wall": round(wall, 3),
        "cpu": round(used.ru_utime + used.ru_stime, 3),
        "rss": round(rss / 1024, 1),
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
