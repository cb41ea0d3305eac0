"""Mixtures by name and from TOML files, and what is said of files that hold none."""

import pytest

from lammps_botan.files.mixture_toml import find_mixture, parse_mixture
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

ARGON = """
name = "argon"
units = "metal"
species = ["Ar"]
masses = [39.95]
fractions = [1.0]
diameter = 3.4
[bond_lengths]
"Ar-Ar" = 4.6
"""


def test_a_shipped_mixture_is_found_by_its_name():
    assert find_mixture("kob-andersen") is KOB_ANDERSEN
    assert find_mixture("ka2d") is KA2D


def test_a_mixture_is_read_from_its_file(tmp_path):
    path = tmp_path / "argon.toml"
    path.write_text(ARGON)
    mixture = find_mixture(path)
    assert (mixture.units, mixture.species, mixture.bond_lengths) == ("metal", ("Ar",), ((4.6,),))
    assert mixture.interactions is None


@pytest.mark.parametrize("mixture", [KOB_ANDERSEN, KA2D], ids=lambda m: m.name)
def test_a_mixture_comes_back_from_its_json(mixture):
    assert parse_mixture(mixture.model_dump_json(), "the metadata") == mixture


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        ("diameter = 3.4", "", "argon.toml: lacks the key diameter"),
        ("diameter = 3.4", "diameter = -1", "diameter: expected greater than 0, found -1"),
        ("diameter = 3.4", "diameter = 3.4\ncolor = 1", "unknown key color; expected one of name,"),
        ('"metal"', '"metric"', "units: expected 'lj', 'real', 'metal'.*, found 'metric'"),
        ('"Ar-Ar" = 4.6', '"Ar-Kr" = 4.6', r"bond_lengths has the key 'Ar-Kr'; expected .*'Ar-Ar'"),
        ("[39.95]", "[39.95, 1.0]", "masses needs one number for each of the 1 species, found 2"),
        ("[bond_lengths]", "[bond_lengths", "argon.toml: not a TOML file: "),
        (
            '"Ar-Ar" = 4.6',
            '"Ar-Ar" = 4.6\n[interactions]\npair_style = "lj/cut 8"',
            "(?s)lacks the key interactions.timestep.*unknown key interactions.pair_style; "
            "expected one of commands, timestep",
        ),
    ],
)
def test_a_file_that_holds_no_mixture_is_refused_with_its_key(tmp_path, line, instead, message):
    path = tmp_path / "argon.toml"
    assert line in ARGON
    path.write_text(ARGON.replace(line, instead))
    with pytest.raises(ValueError, match=message):
        find_mixture(path)


def test_a_mixture_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no mixture 'water'; expected kob-andersen, ka2d or a f"):
        find_mixture("water")
    with pytest.raises(FileNotFoundError, match=r"none\.toml: no such file"):
        find_mixture(tmp_path / "none.toml")
