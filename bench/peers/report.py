#!/usr/bin/env python3
"""Collects what measure.py says, and prints it as a table.

report.py server RESULTS KIND VERSION          a server of this kind is measured on
report.py add RESULTS KIND NAME RESULT         adds a result, and prints it in a line
report.py table RESULTS CHANGES [JSON-FILE]    prints all, and writes them with the machine's data
"""
import json
import os
import platform
import sys

LABELS = {
    "floor": "libmariadb, nothing decoded",
    "java": "mysql-binlog-connector-java 0.30.1",
    "go": "go-mysql 1.13.0",
    "powersync": "@powersync/mysql-zongji 0.6.2",
    "vlasky": "@vlasky/zongji 0.9.0",
    "debezium": "Debezium embedded 3.0.0, JSON",
    "ours": "ustream",
}


def load(path):
    if not os.path.exists(path):
        return {"servers": {}, "results": []}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def store(path, data):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=2)
        file.write("\n")


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": models[0] if models else "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release()}",
    }


def add(path, kind, name, result_path):
    with open(result_path, encoding="utf-8") as file:
        result = json.load(file)
    data = load(path)
    data["results"].append({"server": kind, "peer": name, "label": LABELS[name], **result})
    store(path, data)
    if "error" in result:
        print("failed:", result["error"])
    else:
        print(f"{result['wall']:8.2f} s wall {result['cpu']:8.2f} s CPU {result['rss']:8.0f} MiB")


def table(path, changes, json_path=None):
    data = load(path)
    data["machine"] = machine()
    data["changes"] = int(changes)
    data["load_average"] = os.getloadavg()[0]
    m = data["machine"]
    print(f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['kernel']}; {int(changes):,} changes")
    for kind, version in data["servers"].items():
        print(f"\n{kind} {version}")
        print(f"| {'peer':<36} | wall s | CPU s | RSS MiB | changes/s |")
        print(f"|{'-' * 38}|-------:|------:|--------:|----------:|")
        for r in data["results"]:
            if r["server"] != kind:
                continue
            if "error" in r:
                print(f"| {r['label']:<36} | failed: {r['error'][:100]} |")
            else:
                rate = f"{int(changes) / r['wall']:,.0f}"
                print(f"| {r['label']:<36} | {r['wall']:6.2f} | {r['cpu']:5.2f} | {r['rss']:7.0f} | {rate:>9} |")
    if json_path:
        store(json_path, data)


def main():
    order, path, *rest = sys.argv[1:]
    if order == "server":
        data = load(path)
        data["servers"][rest[0]] = rest[1]
        store(path, data)
    elif order == "add":
        add(path, *rest)
    else:
        table(path, *rest)


main()
