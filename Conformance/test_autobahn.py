#!/usr/bin/env python3
"""Tests the comparison of Scripts/autobahn: only the expected verdict passes."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "autobahn"))

from processes import Ended, Processes, await_listener, free_port  # noqa: E402
from verdicts import Expectations, order, summary  # noqa: E402

FILE = Path(__file__).resolve().parent / "autobahn" / "expectations.json"


def verdicts(behavior="OK", close="OK"):
    return {"behavior": behavior, "behaviorClose": close}


class Comparison(unittest.TestCase):
    def setUp(self):
        values = {"cases": 3, "client": {"behavior": {"7.1.6": "INFORMATIONAL"}, "behaviorClose": {}}}
        self.expectations = Expectations(values, "client")
        self.results = {"1.1.1": verdicts(), "7.1.6": verdicts("INFORMATIONAL"), "12.1.1": verdicts()}

    def test_what_is_expected_is_no_difference(self):
        self.assertEqual(self.expectations.differences(self.results), [])

    def test_every_other_verdict_is_named(self):
        for verdict in ("FAILED", "NON-STRICT", "UNIMPLEMENTED", "INFORMATIONAL", "UNCLEAN", None):
            for aspect in ("behavior", "behaviorClose"):
                with self.subTest(verdict=verdict, aspect=aspect):
                    self.results["1.1.1"] = verdicts() | {aspect: verdict}
                    self.assertEqual(self.expectations.differences(self.results),
                                     [f"1.1.1: {aspect} is {verdict} instead of OK"])

    def test_better_than_expected_is_a_difference_too(self):
        self.results["7.1.6"] = verdicts()
        self.assertEqual(self.expectations.differences(self.results),
                         ["7.1.6: behavior is OK instead of INFORMATIONAL"])

    def test_a_missing_case_is_a_difference(self):
        del self.results["12.1.1"]
        self.assertEqual(self.expectations.differences(self.results), ["2 cases have run instead of 3"])
        del self.results["7.1.6"]
        self.assertEqual(self.expectations.differences(self.results),
                         ["7.1.6: has not run", "1 cases have run instead of 3"])

    def test_of_a_part_only_the_part_is_expected(self):
        part = {"1.1.1": verdicts()}
        self.assertEqual(self.expectations.differences(part, ["1.*"]), [])
        self.assertEqual(self.expectations.differences(part, ["1.*", "7.*"]), ["7.1.6: has not run"])

    def test_nothing_is_never_enough(self):
        self.assertEqual(self.expectations.differences({}, ["1.*"]), ["no case has run"])

    def test_nobody_may_expect_a_failure(self):
        with self.assertRaises(ValueError):
            Expectations({"cases": 1, "client": {"behavior": {"1.1.1": "FAILED"}, "behaviorClose": {}}}, "client")

    def test_cases_are_ordered_by_their_numbers(self):
        self.assertEqual(sorted(["12.1.1", "9.1.2", "9.1.10"], key=order), ["9.1.2", "9.1.10", "12.1.1"])

    def test_the_counts_are_complete(self):
        self.results["9.1.1"] = verdicts("NON-STRICT", "UNCLEAN")
        self.assertEqual(summary(self.results),
                         "4 cases: 2 OK, 1 INFORMATIONAL, 1 NON-STRICT, 0 FAILED "
                         "(closing: 3 OK, 0 INFORMATIONAL, 0 NON-STRICT, 0 FAILED, 1 UNCLEAN)")

    def test_the_committed_file_expects_all_cases_of_both_roles(self):
        for role in ("client", "server"):
            self.assertEqual(Expectations.load(FILE, role).count, 517)
        self.assertEqual(json.loads(FILE.read_text())["suite"], "autobahntestsuite 25.10.1")


class Ends(unittest.TestCase):
    def test_what_was_started_is_ended_with_the_run(self):
        with self.assertRaises(KeyError), Processes() as processes:
            process = processes.start([sys.executable, "-c", "import time; time.sleep(60)"])
            raise KeyError
        with self.assertRaises(ProcessLookupError):
            os.kill(process.pid, 0)
        with self.assertRaises(Ended):
            processes.start([sys.executable, "-c", ""])

    def test_what_takes_too_long_is_killed(self):
        with Processes() as processes:
            process = processes.start([sys.executable, "-c", "import time; time.sleep(60)"])
            self.assertIsNone(processes.wait(process, 0.01))
            self.assertLess(process.returncode, 0)

    def test_a_program_that_ends_does_not_listen(self):
        with Processes() as processes:
            process = processes.start([sys.executable, "-c", ""], stdout=subprocess.DEVNULL)
            self.assertFalse(await_listener(process, free_port()))


if __name__ == "__main__":
    unittest.main()
