"""The verdicts of the suite's report, compared with the expected ones."""

import fnmatch
import json
from collections import Counter

ASPECTS = ("behavior", "behaviorClose")
GOOD = ("OK", "INFORMATIONAL")
# In the order in which they are counted; any other verdict is counted when it occurs.
SHOWN = ("OK", "INFORMATIONAL", "NON-STRICT", "FAILED")


class Expectations:
    """The expected verdicts of one role: OK, except for the cases in the file."""

    def __init__(self, values, role):
        self.count = values["cases"]
        self.named = {aspect: dict(values[role][aspect]) for aspect in ASPECTS}
        for aspect, cases in self.named.items():
            for case, verdict in cases.items():
                if verdict not in GOOD:
                    raise ValueError(f"{role} {aspect} {case}: nobody may expect {verdict}")

    @classmethod
    def load(cls, path, role):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file), role)

    def verdict(self, aspect, case):
        return self.named[aspect].get(case, "OK")

    def differences(self, results, patterns=("*",)):
        """A sentence for each case whose verdicts differ, and for each that is missing."""
        found = []
        for case in sorted(results, key=order):
            for aspect in ASPECTS:
                wanted, got = self.verdict(aspect, case), results[case].get(aspect)
                if wanted != got:
                    found.append(f"{case}: {aspect} is {got} instead of {wanted}")
        for case in sorted({case for cases in self.named.values() for case in cases}, key=order):
            if case not in results and selects(patterns, case):
                found.append(f"{case}: has not run")
        if list(patterns) == ["*"] and len(results) != self.count:
            found.append(f"{len(results)} cases have run instead of {self.count}")
        if not results:
            found.append("no case has run")
        return found


def selects(patterns, case):
    return any(fnmatch.fnmatchcase(case, pattern) for pattern in patterns)


def order(case):
    return [int(part) if part.isdigit() else 0 for part in case.split(".")]


def summary(results):
    """For example `517 cases: 514 OK, 3 INFORMATIONAL, 0 NON-STRICT, 0 FAILED`, then the closing."""
    def counts(aspect):
        counted = Counter(str(result.get(aspect)) for result in results.values())
        names = list(SHOWN) + sorted(set(counted) - set(SHOWN))
        return ", ".join(f"{counted[name]} {name}" for name in names)
    return f"{len(results)} cases: {counts('behavior')} (closing: {counts('behaviorClose')})"
