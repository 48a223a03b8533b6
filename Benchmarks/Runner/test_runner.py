"""Tests of how the figures are computed: python3 -B Benchmarks/Runner/test_runner.py"""

import contextlib
import io
import json
import os
import tempfile
import types
import unittest
import xml.dom.minidom

import bars
import bench
import calls
import clients
import groups
import instructions
import picture
import relays
import scrapes
import session
import tables
from runs import WORKS


def client(title, kind="peer", idle=None, start=5.0, **works):
    """A client's results; workloads in ns for each message."""
    figures = {name: {"seconds": value / 1e9, "max_rss": 8e6, "p50_us": 50.0} for name, value in works.items()}
    return {"title": title, "kind": kind, "version": "1", "validates": "", "works": figures, "start_ms": start,
            "start_cpu_ms": start, "idle": {1_000: {"connections": 1_000, "bytes_each": idle}} if idle else {}}


def results(**more):
    found = {
        "floor": client("floor", "floor", 20_000, rec400=500, batch400=100, rec16k=5_000, rec1m=300_000, echo=30_000),
        "floor-simdjson": client("simdjson", "floor", rec400=700),
        "websocket": client("ours", "ours", rec400=540, batch400=120, rec16k=5_500, rec1m=400_000, echo=31_000),
        "channel": client("channel", "ours", 21_000, 9, rec400=690, batch400=200, rec16k=9_000, rec1m=700_000,
                          parse400=2_000),
        "go": client("Go", "peer", 33_000, 3, rec400=510, batch400=300, parse400=4_000),
        "picows": client("picows", "peer", 61_000, 90, rec400=900, batch400=500, parse400=2_500),
        **more,
    }
    scale = {"channel": {"busy_alone": 0.1, "idle_alone": 0.02, "both": 0.12, "heartbeats": 0.01,
                         "beyond_heartbeats": 0.01, "pings": 0, "lost": 0}}
    return {"clients": found, "scale": scale, "openssl": {"floor": "OpenSSL 3"}, "rounds": 3, "quick": False,
            "seconds": 60, "skipped": {"beast": "boost/beast.hpp is missing"},
            "machine": {"processor": "A & B", "cores": 2, "kernel": "Linux"}}


def verdicts(found):
    return {bar["name"]: bar["holds"] for bar in found}


class Bars(unittest.TestCase):
    def test_a_good_session_misses_only_what_was_not_measured(self):
        missed = [name for name, holds in verdicts(bars.evaluate(results())).items() if not holds]
        self.assertEqual(missed, ["memory of an idle channel, of 10,000"])

    def test_a_slower_channel_misses_its_bars(self):
        slow = client("channel", "ours", 30_000, 30, rec400=1_200, batch400=200, parse400=5_000)
        found = verdicts(bars.evaluate(results(channel=slow)))
        self.assertFalse(found["Channel, 400 B, one record each, of the floor"])
        self.assertFalse(found["… of the floor with simdjson (floor-simdjson)"])
        self.assertFalse(found["memory of an idle channel, of 1,000"])
        self.assertFalse(found["Channel, start to the first notification, of the floor"])
        self.assertTrue(found["Channel, 400 B in 16 KiB records, of the floor"])

    def test_go_and_the_reference_are_not_among_those_to_be_below(self):
        found = [bar["name"] for bar in bars.evaluate(results())]
        self.assertIn("… of the best peer but Go (picows)", found)
        self.assertIn("… of the best peer (go)", found)

    def test_without_a_floor_nothing_holds(self):
        empty = results()
        empty["clients"], empty["scale"] = {}, {}
        self.assertEqual(set(verdicts(bars.evaluate(empty)).values()), {False})

    def test_a_miss_is_an_exit_status(self):
        good = [bar for bar in bars.evaluate(results()) if bar["holds"]]
        with contextlib.redirect_stdout(io.StringIO()) as output:
            self.assertEqual(bars.show(good), 0)
            self.assertEqual(bars.show(bars.evaluate(results())), 1)
        self.assertIn("not measured", output.getvalue())
        self.assertIn("MISSED", output.getvalue())


class Output(unittest.TestCase):
    def test_the_tables_name_ratios_and_what_was_skipped(self):
        with contextlib.redirect_stdout(io.StringIO()) as output:
            tables.show(results())
        text = output.getvalue()
        self.assertIn("690 (1.38x)", text)
        self.assertIn("SKIPPED: beast", text)
        self.assertIn("OpenSSL 3", text)

    def test_clients_that_are_missing_are_told_once_more_at_the_end(self):
        with contextlib.redirect_stderr(io.StringIO()) as output:
            bench.tell_skipped({}, 11)
            self.assertEqual(output.getvalue(), "")
            bench.tell_skipped({"go": "no go", "beast": "no boost"}, 11)
        self.assertIn("SKIPPED 2 of 11 clients: beast, go", output.getvalue())

    def test_the_picture_is_xml_with_a_bar_for_each_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "picture.svg")
            picture.write(results(), path)
            document = xml.dom.minidom.parse(path)
        # rec400 of six, parse400 of three, memory of four.
        self.assertEqual(len(document.getElementsByTagName("rect")), 13)


class Figures(unittest.TestCase):
    def test_a_figure_is_the_median_without_the_session_of_one_message(self):
        options = types.SimpleNamespace(quick=False, rounds=3)
        one = session.Session("", [], options, print)
        run = {"max_rss": 1, "wall": 1, "p50_us": None, "p99_us": None}
        one.samples["c", "start"] = [{"cpu": cpu, "count": 1, **run} for cpu in (0.02, 0.01, 0.5)]
        one.samples["c", "rec400"] = [{"cpu": cpu, "count": 1_000, **run} for cpu in (1.02, 2.02, 9.02)]
        figure = one.figure("c", "rec400")
        self.assertAlmostEqual(figure["seconds"], 0.002)
        self.assertAlmostEqual(figure["least"], 0.001)

    def test_names_are_unique_and_works_exist(self):
        everyone = clients.all_clients()
        self.assertEqual(len({one.name for one in everyone}), len(everyone))
        for one in everyone:
            self.assertLessEqual(one.works, set(WORKS), one.name)



class InstructionTests(unittest.TestCase):
    budget = {"instructions": {"400": 1_000, "16384": 10_000}}

    def test_within_the_tolerance_nothing_is_said(self):
        self.assertEqual(instructions.verdict({"400": 1_019.0, "16384": 9_801.0}, self.budget), ([], []))

    def test_more_is_a_complaint_and_less_is_news(self):
        complaints, news = instructions.verdict({"400": 1_021.0, "16384": 9_000.0}, self.budget)
        self.assertEqual(complaints, ["400 B: 1,021 instructions for each notification; the budget is 1,000"])
        self.assertEqual(len(news), 1)

    def test_a_size_without_a_budget_is_a_complaint(self):
        self.assertEqual(len(instructions.verdict({"100": 1.0}, self.budget)[0]), 1)

    def test_the_committed_budget_has_every_size(self):
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        with open(os.path.join(root, instructions.BUDGET), encoding="utf-8") as file:
            budget = json.load(file)
        self.assertEqual(set(budget["instructions"]), {str(size) for size in instructions.SIZES})
        self.assertEqual(set(budget), {"processor", "swift", "instructions"})


class ScrapeTests(unittest.TestCase):
    @staticmethod
    def phases(cpu=1.0, p99=0.004, count=10_000):
        quiet = {"mode": "quiet", "cpu": 0.5, "scrapes": 0, "rate": 0.0, "seconds": 10.0, "p50": 0.001, "p99": 0.002,
                 "most": 0.009}
        scraped = {**quiet, "cpu": cpu, "scrapes": count, "rate": count / 10, "p99": p99}
        return [quiet] + [{**scraped, "mode": mode} for mode in ("kept", "new")]

    def test_delays_are_counted_from_the_schedule_and_the_smallest_one(self):
        arrivals = [(7_000_000_000, [10, 11]), (7_500_000_000, [12])]
        found = scrapes.delays(arrivals, 10)
        for delay, expected in zip(found, (0, 0.1, 0.4)):
            self.assertAlmostEqual(delay, expected)

    def test_numbers_that_are_missing_or_out_of_order_are_found(self):
        self.assertEqual(scrapes.lost([(1, [5, 6]), (2, []), (3, [7, 8])]), 0)
        self.assertEqual(scrapes.lost([(1, [5, 6]), (2, [8, 8]), (3, [7])]), 3)

    def test_a_scrape_costs_what_the_quiet_phase_does_not(self):
        found = scrapes.figures(self.phases())
        self.assertAlmostEqual(found["kept"]["scrape"], 50e-6)
        self.assertAlmostEqual(found["new"]["rise"], 0.002)
        self.assertEqual(scrapes.complaints(found, 0), [])
        self.assertEqual(len(list(scrapes.table(found))), 4)

    def test_each_bar_has_its_complaint(self):
        for phases, missing, count in (
                (self.phases(cpu=3.0), 0, 2), (self.phases(p99=0.0071), 0, 2), (self.phases(count=9_000), 0, 2),
                (self.phases(), 1, 1)):
            self.assertEqual(len(scrapes.complaints(scrapes.figures(phases), missing)), count)


class CallTests(unittest.TestCase):
    @staticmethod
    def figures(ours=40e-6, memory=2 << 20, start=0.003, **more):
        return {"calls": {"ours": ours, "requests": 400e-6, **more}, "memory": memory, "start": start,
                "libraries": 9 << 20}

    def test_each_bar_has_its_complaint(self):
        self.assertEqual(calls.complaints(self.figures()), [])
        for found in (self.figures(ours=300e-6), self.figures(memory=5 << 20), self.figures(start=0.006)):
            self.assertEqual(len(calls.complaints(found)), 1)

    def test_without_peers_there_is_no_ratio_to_keep(self):
        found = self.figures(ours=300e-6)
        del found["calls"]["requests"]
        self.assertEqual(calls.complaints(found), [])

    def test_the_table_has_a_row_for_each_client(self):
        rows = list(calls.table(self.figures(sdk=1e-3)))
        self.assertEqual(len(rows), 6)
        self.assertIn("10.0 times ours", rows[1])


class GroupTests(unittest.TestCase):
    def figures(self, **more):
        each = {shape: {"plain": 1_000.0, "group": 1_040.0} for shape in groups.SHAPES}
        return {"shards": 20, "seconds": 19.9, "cpu": 0.5, "instructions": each, "cpu_each": each,
                "memory": {"one": 20 << 20, "all": 39 << 20, "each": 1 << 20}, **more}

    def test_each_bar_has_its_complaint(self):
        self.assertEqual(groups.complaints(self.figures()), [])
        slow = {shape: {"plain": 1_000.0, "group": 1_051.0} for shape in groups.SHAPES}
        self.assertEqual(len(groups.complaints(self.figures(instructions=slow))), 2)
        self.assertEqual(groups.complaints(self.figures(cpu_each=slow)), [], "instructions decide where they are")
        self.assertEqual(len(groups.complaints(self.figures(cpu_each=slow, instructions={}))), 2)
        self.assertEqual(len(groups.complaints(self.figures(seconds=24.1))), 1)

    def test_the_table_has_the_instructions_where_they_are_counted(self):
        rows = list(groups.table(self.figures()))
        self.assertEqual(len(rows), 7)
        self.assertIn("1.040", rows[3])
        self.assertEqual(len(list(groups.table(self.figures(instructions={})))), 5)


class RelayTests(unittest.TestCase):
    def figures(self, **more):
        row = {"cpu": 0.9e-6, "rate": 250_000.0, "median": 0.005, "p99": 0.010, "growth": 30 << 20}
        return {"relay": {**row, **more}, "hiredis": {**row, "cpu": 1.25e-6}}

    def test_each_bar_has_its_complaint(self):
        self.assertEqual(list(relays.complaints(self.figures())), [])
        for more in ({"cpu": 1.01e-6}, {"rate": 99_999.0}, {"median": 0.025}, {"growth": 41 << 20}):
            self.assertEqual(len(list(relays.complaints(self.figures(**more)))), 1, more)

    def test_the_table_has_the_peer_beside_each_figure(self):
        rows = list(relays.table(self.figures()))
        self.assertEqual(len(rows), 5)
        self.assertIn("0.90 µs", rows[0])
        self.assertIn("hiredis 1.25; at most 1.0", rows[0])
        self.assertIn("30.0 MiB", rows[4])


if __name__ == "__main__":
    unittest.main()
