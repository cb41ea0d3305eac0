"""Python reads the metadata of a model file as strictly as the fix does."""

import json

import pytest

from lammps_botan.network.archive import Archive
from lammps_botan.network.metadata import parse_metadata
from lammps_botan.network.shipped import find_model
from lammps_botan.network.strict_json import check_numbers_and_letters, parse_json


def metadata():
    return json.loads(Archive(find_model("ka-t044")).extra_file("metadata.json"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("cutoff",), "2.0"),
        (("cutoff",), True),
        (("temperature",), False),
        (("lag_times",), ["4120"]),
        (("format_version",), 2.0),
        (("mixture", "bond_lengths"), [["1.35", 1.08], [1.08, 0.9]]),
        (("mixture", "reference_species"), ""),
        (("mixture", "dimension"), None),
        (("provenance",), {"loss": float("nan")}),
        (("provenance",), {"name": "\ud800"}),
        (("edge_outputs",), [1]),
    ],
)
def test_what_the_fix_refuses_is_refused_by_the_name_of_the_file(path, value):
    content = metadata()
    assert parse_metadata("m.pt", json.dumps(content).encode()).rounds > 0
    inside = content
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    with pytest.raises(ValueError, match=r"m\.pt: "):
        parse_metadata("m.pt", json.dumps(content).encode())


def test_only_utf_8_and_a_limited_depth_are_read():
    assert parse_json('{"größe": "\\"[["}'.encode()) == {"größe": '"[['}
    assert parse_json(b"[" * 100 + b"]" * 100)
    with pytest.raises(ValueError, match="depth of 100, found a depth of 101"):
        parse_json(b"[" * 101 + b"]" * 101)
    with pytest.raises(ValueError, match="utf-8"):
        parse_json('{"a": 1}'.encode("utf-16"))


def test_integers_beyond_64_bits_are_numbers_and_no_integers():
    assert parse_json(b"[18446744073709551615, -9223372036854775808]") == [2**64 - 1, -(2**63)]
    for digits in (b"18446744073709551616", b"-9223372036854775809", b"1" + b"0" * 30):
        assert isinstance(parse_json(digits), float)
    with pytest.raises(ValueError, match="not JSON compliant"):
        check_numbers_and_letters(parse_json(b"1" * 5000))
