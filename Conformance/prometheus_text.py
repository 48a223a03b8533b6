#!/usr/bin/env python3
"""Reads a page of metrics in Prometheus' text format with Prometheus' own Python client.

usage: prometheus_text.py FILE

Prints {"families":{NAME:{"type":…,"help":…,"samples":[[NAME,{LABEL:VALUE},NUMBER]]}},"problems":[…]}. Problems are what
the parser accepts and the format forbids: a family or a sample twice, buckets that do not add up, a wrong end of the
page. Exits 1 if the parser refuses the page.
"""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


def histogram_problems(name, samples):
    """Each histogram of a family: cumulative buckets with ascending bounds, the last one equal to the count."""
    series = {}
    for sample in samples:
        labels = tuple(sorted((key, value) for key, value in sample.labels.items() if key != "le"))
        series.setdefault(labels, {}).setdefault(sample.name.removeprefix(name), []).append(sample)
    for labels, parts in series.items():
        buckets = [(float(each.labels["le"]), each.value) for each in parts.get("_bucket", [])]
        counts = [count for _, count in buckets]
        if buckets != sorted(buckets) or counts != sorted(counts):
            yield f"{name}{dict(labels)}: the buckets do not ascend"
        if not buckets or buckets[-1][0] != float("inf"):
            yield f"{name}{dict(labels)}: there is no bucket +Inf"
        elif [counts[-1]] != [each.value for each in parts.get("_count", [])]:
            yield f"{name}{dict(labels)}: the bucket +Inf is not the count"
        if len(parts.get("_sum", [])) != 1:
            yield f"{name}{dict(labels)}: there is no sum"


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("--help", "-h"):
        print(__doc__.strip())
        sys.exit(0 if len(sys.argv) == 2 else 64)
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        text = file.read()
    families, problems, seen = {}, [], set()
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        problems.append("the page does not end with one line feed")
    # The parser merges lines that it should not, so the lines are counted here.
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")]
    problems += [f"{name}: two types" for name in sorted({name for name in types if types.count(name) > 1})]
    for family in text_string_to_metric_families(text):
        # The client drops the suffix of a counter's family, for the other format that it knows.
        name = family.name + "_total" if family.type == "counter" else family.name
        if name in families:
            problems.append(f"{name}: in two places")
        if family.type not in SUFFIXES:
            problems.append(f"{name}: the type is {family.type}")
        if not family.documentation:
            problems.append(f"{name}: no help")
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            if key in seen:
                problems.append(f"{sample.name}{sample.labels}: twice")
            seen.add(key)
            if sample.name not in [name + suffix for suffix in SUFFIXES.get(family.type, ())]:
                problems.append(f"{sample.name}: not a name of the {family.type} {name}")
        if family.type == "histogram":
            problems += histogram_problems(name, family.samples)
        families[name] = {
            "type": family.type, "help": family.documentation,
            "samples": [[each.name, each.labels, each.value] for each in family.samples],
        }
    print(json.dumps({"families": families, "problems": problems}))


if __name__ == "__main__":
    main()
