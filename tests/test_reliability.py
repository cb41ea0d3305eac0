"""The reliability suite sees what breaks, and a small share of its tries ends as it should."""

import random
from pathlib import Path

import agreement
import between
import disk_and_signals
import in_fix
import invariance
import numpy as np
import parsers
import pytest
import readers
import sanitizers
from child import make_tries
from damage import damage_archive, damage_bytes, damage_text, swap_members
from fault import (
    BROKEN,
    OTHER,
    REFUSED,
    RIGHT,
    Fault,
    from_json,
    markdown,
    table_of_cases,
    to_json,
)
from harmful_tries import Harmful
from liquids import NO_GLASS
from small_files import WRITERS
from writing_commands import COMMANDS


@pytest.mark.slow
def test_a_crash_a_hang_and_a_bomb_are_outcomes_and_no_end(monkeypatch):
    monkeypatch.setattr("child.STARTING", 20.0)
    found = list(make_tries(Harmful, range(5), seconds=1))
    assert [(seed, outcome) for seed, outcome, _ in found] == [
        *((seed, BROKEN) for seed in range(4)),
        (4, RIGHT),
    ]
    crash, hang, bomb, traceback, right = (text for *_, text in found)
    assert "ended with -6" in crash
    assert "hangs" in hang
    assert "MemoryError" in bomb
    assert "KeyError: 'key'" in traceback
    assert right == "4"


def test_a_wrong_number_is_bad_unless_it_is_allowed():
    for allowed, good in (("", False), ("no checksum", True)):
        fault = Fault("bits", allowed)
        fault.add(OTHER, "seed 7")
        fault.add(REFUSED, n=3)
        assert (fault.is_good, bool(fault.examples)) == (good, not good)
        assert from_json(to_json([fault])) == [fault]
        assert f"| bits | 4 | 3 | 0 | 1 | 0 | {allowed} |" in markdown([fault])
    fault.add(BROKEN, "seed 8")
    assert not fault.is_good


def test_the_worst_outcome_of_a_case_stands_in_the_table():
    faults = [Fault("on one rank"), Fault("on two ranks")]
    for fault, ranks, outcomes in zip(
        faults, "12", ((RIGHT, BROKEN, RIGHT), (REFUSED,)), strict=True
    ):
        for outcome in outcomes:
            fault.add(outcome, case=("`run`", ranks))
    faults[0].add(RIGHT, case=("`set`", "1"))
    assert [fault.n_cases for fault in faults] == [2, 1]
    head, _, run, other = table_of_cases(from_json(to_json(faults))).splitlines()
    assert head == "|  | 1 | 2 |"
    assert run == "| `run` | ! | r |"
    assert other == "| `set` | + |  |"


def test_each_value_is_replaced_and_stays_as_it_was():
    content = {"rounds": 4, "names": ["A", "B"]}
    texts = dict(parsers.replaced(content))
    assert content == {"rounds": 4, "names": ["A", "B"]}
    assert len(texts) == 3 * (1 + len(parsers.REPLACED_BY))
    assert texts["`rounds`", "`1e308`"] == '{"rounds": 1e308, "names": ["A", "B"]}'
    assert texts["`names[0]`", "`null`"] == '{"rounds": 4, "names": [null, "B"]}'
    assert texts["`names`", "`missing`"] == '{"rounds": 4}'
    assert texts["`names[0]`", "`missing`"] == '{"rounds": 4, "names": ["B"]}'


NOTES = Path(__file__).parents[1] / "docs" / "notes"


def test_the_page_lists_more_than_a_thousand_cases_and_none_that_broke():
    lines = (NOTES / "reliability_cases.md").read_text().splitlines()
    cells = [
        cell.strip()
        for line in lines
        if line.startswith("| ") and "---" not in line
        for cell in line.split("|")[2:-1]
    ]
    signs = [cell for cell in cells if len(cell) == 1]
    assert len(signs) > 1000
    assert "!" not in signs


def test_the_page_of_tries_has_none_that_broke():
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in (NOTES / "reliability.md").read_text().partition("## Results")[2].splitlines()
        if line.startswith("|") and "---" not in line and not line.startswith("| fault ")
    ]
    assert sum(int(row[1].replace(",", "")) for row in rows) > 1_000_000
    assert all(row[5] == "0" for row in rows)
    assert all(row[4] == "0" or row[6] for row in rows)  # another result, and why it is allowed


@pytest.mark.parametrize("name", list(WRITERS))
def test_a_small_file_of_each_format_is_read(name, tmp_path):
    write, read = WRITERS[name]
    path = write(tmp_path / name)
    assert readers.equal(read(path), read(path))


@pytest.mark.parametrize("damage", [damage_bytes, damage_text, damage_archive, swap_members])
def test_damage_is_the_same_for_the_same_seed_and_hardly_ever_none(damage, tmp_path):
    content = WRITERS["ensemble.npz"][0](tmp_path / "ensemble.npz").read_bytes()
    once, again = ([damage(content, random.Random(k)) for k in range(40)] for _ in range(2))
    assert once == again
    assert sum(one != content for one in once) > 30


@pytest.mark.parametrize("one", readers.FORMATS, ids=lambda one: one.words)
def test_damaged_files_end_in_a_sentence_or_in_a_result(one, tmp_path):
    attempt = readers.prepare(one, tmp_path)
    outcomes = {attempt(seed)[0] for seed in range(12)}
    assert outcomes <= {REFUSED, RIGHT} | ({OTHER} if one.allowed else set())
    assert REFUSED in outcomes


@pytest.mark.parametrize(
    ("fix", "python", "outcome"),
    [
        ("", b'"x"', BROKEN),
        ("refused", b'"x"', REFUSED),
    ],
)
def test_python_and_the_fix_are_compared(fix, python, outcome):
    assert parsers.compare(python, fix) == outcome


def seed_text(tmp_path):
    return Path(parsers.write_seeds(tmp_path)[0]).read_bytes()


def test_a_key_that_the_fix_does_not_need_may_be_wrong_for_python_alone(tmp_path):
    text = seed_text(tmp_path)
    assert parsers.compare(text, "") == RIGHT
    assert parsers.compare(text, "refused") == BROKEN
    assert parsers.compare(text.replace(b'"masses": [1.0', b'"masses": [-1.0'), "") == OTHER
    assert parsers.compare(text.replace(b'"rounds": ', b'"rounds": -'), "") == BROKEN


@pytest.mark.slow
@pytest.mark.long
def test_a_thousandth_of_the_inputs_of_the_parsers_is_read_without_a_fault():
    for fault in parsers.faults(0.001):
        assert fault.is_good, fault.examples
        assert fault.tries > 0


@pytest.mark.filterwarnings(NO_GLASS)
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["files", "bare", "words"])
def test_the_fix_with_damaged_files_and_other_words(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    attempt = in_fix.prepare(kind, tmp_path)
    outcomes = {attempt(seed)[0] for seed in range(12)}
    assert outcomes <= {REFUSED, RIGHT} | ({OTHER} if kind == "bare" else set())
    assert REFUSED in outcomes


@pytest.mark.filterwarnings(NO_GLASS)
@pytest.mark.slow
def test_commands_between_two_scorings_leave_the_scores_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    attempt = between.prepare(1, tmp_path)
    outcomes = [attempt(seed) for seed in range(len(between.COMMANDS))]
    assert {outcome for outcome, _ in outcomes} == {REFUSED, RIGHT}, outcomes
    assert sum(outcome == RIGHT for outcome, _ in outcomes) > 0.7 * len(outcomes)


def test_the_operations_of_the_cube_are_48_and_keep_lengths():
    assert len({tuple(one.ravel()) for one in invariance.CUBE}) == 48
    assert all(np.array_equal(one @ one.T, np.eye(3)) for one in invariance.CUBE)


@pytest.mark.parametrize("model", ["ka-t044-history", "ka-t044"])
def test_changes_that_must_not_matter_do_not(model, tmp_path):
    attempt = invariance.prepare(model, tmp_path)
    for seed in range(6):
        learned = model == "ka-t044" and invariance._change(seed) == "operations of the cube"
        outcome, text = attempt(seed)
        assert (outcome == RIGHT) != learned, text


def test_scores_that_differ_or_lack_a_pair_are_apart():
    one = np.array([1.0, 3.0]), np.array([0.0, 2.0, 4.0])
    other = np.array([1.0, 2.5]), np.array([0.0, 2.0])
    assert agreement.apart(one, one) == [0, 0]
    assert agreement.apart(other, one) == [0.5, np.inf]


@pytest.mark.slow
def test_one_state_is_scored_the_same_on_other_ranks_and_by_other_instructions(tmp_path):
    ways = {name: agreement.WAYS[name] for name in ("1 rank again", "2 ranks", "portable")}
    found = list(agreement.of_model("ka-t064-history", tmp_path, ways))
    assert [(words, outcome) for words, outcome, _ in found] == [(words, RIGHT) for words in ways]


@pytest.mark.slow
@pytest.mark.long
def test_commands_that_write_survive_disks_signals_and_rivals(tmp_path, monkeypatch):
    """Without file systems of its own, which root alone may mount."""
    monkeypatch.chdir(tmp_path)
    pairs = {disk_and_signals.pair_of(seed, False): seed for seed in range(96)}
    assert {command for command, _ in pairs} == set(COMMANDS)
    attempt = disk_and_signals.prepare(False, tmp_path)
    for pair in (
        ("score", "limit"),
        ("export", "SIGKILL"),
        ("data-file", "rival"),
        ("simulate inherent", "SIGHUP"),
    ):
        outcome, text = attempt(pairs[pair])
        assert outcome in (REFUSED, RIGHT), text


OURS = """==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011
READ of size 4 at 0x602000000011 thread T0
    #0 0x7f1 in LAMMPS_NS::History::add(int) (/site/lammps_botan/plugin/botanplugin.so+0x2a)
"""
OF_OTHERS = """==7==ERROR: AddressSanitizer: alloc-dealloc-mismatch (malloc vs operator delete)
    #0 0x7f1 in operator delete(void*) (/usr/lib/libasan.so.8+0x2a)
    #1 0x7f2 in at::native::add (/torch/lib/libtorch_cpu.so+0x11)
"""
RUNTIME = "lammps_botan/plugin/history.cpp:77:12: runtime error: signed integer overflow: 1 + 2\n"
RACE = """==================
WARNING: ThreadSanitizer: data race (pid=7)
  Write of size 8 at 0x7b by thread T1:
    #0 encode lammps_botan/network/engine/engine.cpp:10 (libbotan_engine.so+0x11)
==================
"""


@pytest.mark.parametrize(
    ("text", "n"),
    [(OURS, 1), (OF_OTHERS, 0), (OF_OTHERS + OURS, 1), (RUNTIME + RUNTIME, 2), (RACE, 1), ("", 0)],
)
def test_reports_of_sanitizers_count_where_our_libraries_are_in_their_stacks(text, n):
    assert sum(bool(sanitizers.OURS.search(one)) for one in sanitizers.split(text)) == n


def test_a_sanitizer_that_is_not_there_is_skipped_with_its_reason(monkeypatch):
    monkeypatch.setattr(sanitizers, "COMPILER", "no-compiler-of-this-name")
    found = list(sanitizers.faults(1.0))
    assert [fault.tries for fault in found] == [0, 0]
    assert all(fault.is_good for fault in found)
    assert "not tried: no no-compiler-of-this-name or no cmake" in markdown(found)


def test_models_of_every_kind_and_all_commands_are_scripts_for_sanitizers(tmp_path):
    scripts, n = sanitizers.of_models(tmp_path)
    assert scripts.count("fix g all botan 20 ") == 2 * n  # again after a restart
    assert {path.name for path in tmp_path.glob("*.pt")} > {"both.pt", "committee.pt", "torch.pt"}
    commands, n = sanitizers.of_commands(tmp_path)
    assert commands.count("create_box 2 box") == n > 40


def test_what_is_half_written_is_seen():
    """A dump may end after a frame, and inside of one only where the process was killed."""
    whole = b"ITEM: TIMESTEP\n0\nITEM: TIMESTEP\n1\n"
    is_part = disk_and_signals._is_part
    for content, after_kill, otherwise in (
        (b"", True, False),
        (whole[:17], True, True),
        (whole[:19], True, False),
        (b"ITEM: TIMESTEP\n7\n", False, False),
    ):
        assert is_part(COMMANDS["score"], content, whole, True) == after_kill
        assert is_part(COMMANDS["score"], content, whole, False) == otherwise
    assert not is_part(COMMANDS["export"], whole[:17], whole, True)
    assert not disk_and_signals.all_same({"a.npz": b"1"}, {"a.npz": b"1", "b.npz": b"2"})
    assert not disk_and_signals.same("a.npz", b"1", b"2")
