"""Mixtures: what a TOML file must say, and what follows from it."""

import re

import numpy as np
import pytest

from lammps_botan.files.mixture_toml import find_mixture, parse_mixture
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN, Mixture

GLASS = {
    "name": "glass",
    "units": "metal",
    "species": ["Cu", "Zr", "Al"],
    "masses": [63.5, 91.2, 27.0],
    "fractions": [0.5, 0.4, 0.1],
    "bond_lengths": {
        "Cu-Cu": 3.3, "Zr-Cu": 3.5, "Zr-Zr": 4.0, "Cu-Al": 3.4, "Al-Zr": 3.7, "Al-Al": 3.6,
    },
    "diameter": 2.6,
}  # fmt: skip


def glass(**changes):
    content = GLASS | changes
    return {key: value for key, value in content.items() if value is not None}


def test_bond_lengths_are_a_symmetric_matrix_in_the_order_of_the_species():
    mixture = parse_mixture(GLASS, "glass.toml")
    assert mixture.bond_lengths == ((3.3, 3.5, 3.4), (3.5, 4.0, 3.7), (3.4, 3.7, 3.6))
    assert mixture.longest_bond == 4.0
    pairs = mixture.pair_lengths(np.array([0, 2, 1]), np.array([1, 0, 1]))
    assert pairs.tolist() == [3.5, 3.4, 4.0]


def test_the_reference_species_is_the_first_unless_it_is_said():
    assert parse_mixture(GLASS, "g").reference == 0
    assert parse_mixture(glass(reference_species="Al"), "g").reference == 2


def test_json_gives_the_same_mixture_back():
    for mixture in (KOB_ANDERSEN, KA2D, parse_mixture(GLASS, "g")):
        again = parse_mixture(mixture.model_dump_json(), "json")
        assert again == mixture


def test_the_bonds_of_the_shipped_mixtures_end_at_1_35_sigma():
    sigma = {(0, 0): 1.0, (0, 1): 0.8, (1, 1): 0.88}
    for mixture in (KOB_ANDERSEN, KA2D):
        for (first, second), length in sigma.items():
            assert mixture.bond_lengths[first][second] == pytest.approx(1.35 * length)


def test_ka2d_has_the_composition_of_its_data():
    assert KA2D.counts(1290) == [600, 330, 360]
    assert KOB_ANDERSEN.counts(4096) == [3277, 819]
    assert (KA2D.dimension, KOB_ANDERSEN.dimension) == (2, 3)


def test_counts_add_up_to_the_number_of_particles():
    thirds = parse_mixture(glass(fractions=[1 / 3, 1 / 3, 1 / 3]), "g")
    assert [sum(thirds.counts(n)) for n in range(1, 50)] == list(range(1, 50))
    assert thirds.counts(9) == [3, 3, 3]


def test_words_become_species_numbers_and_null_is_left_out():
    assert KOB_ANDERSEN.numbers(["B", "NULL", "A", "A"]).tolist() == [1, -1, 0, 0]
    with pytest.raises(ValueError, match=r"kob-andersen has no species 'C'; it has A, B"):
        KOB_ANDERSEN.numbers(["A", "C"])
    with pytest.raises(ValueError, match=r"no atom type has a species; .* at least one of them of"):
        KOB_ANDERSEN.numbers(["NULL", "NULL"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": "real"}, "units metal and real"),
        ({"species": ["Cu", "Zr", "Ni"], "bond_lengths": [[3.0] * 3] * 3}, r"\[Cu, Zr, Al\] and"),
        ({"diameter": 2.7}, "diameter 2.6 and 2.7"),
        ({"dimension": 2}, "dimension 3 and 2"),
        ({"bond_lengths": GLASS["bond_lengths"] | {"Cu-Cu": 3.2}}, r"bond lengths \[\[3.3, 3.5"),
        ({"name": "other", "masses": [1.0, 2.0, 3.0], "density": 0.05}, "^$"),
    ],
)
def test_what_tells_two_mixtures_apart_is_said(changes, message):
    mine, theirs = parse_mixture(GLASS, "g"), parse_mixture(glass(**changes), "g")
    assert re.search(message, mine.difference(theirs))


def test_bond_lengths_in_meters_and_centimeters_are_told_apart():
    for units, length in (("si", 1e-10), ("cgs", 1e-8)):
        pairs = {pair: value * length for pair, value in GLASS["bond_lengths"].items()}
        content = glass(units=units, diameter=2.6 * length, bond_lengths=pairs)
        other = content | {"bond_lengths": pairs | {"Cu-Cu": 1.01 * pairs["Cu-Cu"]}}
        mine, theirs = parse_mixture(content, "g"), parse_mixture(other, "g")
        assert mine.difference(parse_mixture(content, "g")) == ""
        assert mine.difference(theirs).startswith("bond lengths")


def test_another_composition_is_said_in_numbers():
    assert KOB_ANDERSEN.wrong_composition(np.array([0] * 80 + [1] * 20)) == ""
    found = KOB_ANDERSEN.wrong_composition(np.array([0] * 60 + [1] * 40))
    assert found == "0.6 A, 0.4 B; kob-andersen is 0.8 A, 0.2 B"
    assert KOB_ANDERSEN.wrong_composition(np.array([0, 1, 2])) == "3 species, kob-andersen has 2"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "lacks the key name"),
        ({"species": None}, "lacks the key species"),
        ({"diameter": None}, "lacks the key diameter"),
        ({"name": "two words"}, "name: String should match pattern"),
        ({"units": "SI"}, "units: expected 'lj', 'real', 'metal', .* found 'SI'"),
        ({"species": []}, "species: Tuple should have at least 1 item"),
        ({"species": ["Cu", "Zr", "Cu"]}, "bond_lengths"),
        ({"species": ["Cu", "Zr", "NULL"], "bond_lengths": [[1.0] * 3] * 3}, "none of them NULL"),
        ({"masses": [1.0]}, "masses needs one number for each of the 3 species, found 1"),
        ({"masses": [1.0, -1.0, 1.0]}, r"masses\.1: expected greater than 0, found -1\.0"),
        ({"masses": [1.0, float("inf"), 1.0]}, r"masses\.1: expected a finite number, found inf"),
        ({"fractions": [0.5, 0.5]}, "fractions needs one number for each of the 3 species"),
        ({"fractions": [0.5, 0.4, 0.2]}, r"fractions must sum to 1, found a sum of 1\.1"),
        ({"bond_lengths": {"Cu-Cu": 3.3}}, "lacks the pairs Cu-Zr, Cu-Al, Zr-Zr, Zr-Al, Al-Al"),
        ({"bond_lengths": {"Cu-Ni": 3.3}}, "key 'Cu-Ni'; expected pairs of species such as 'Cu-Al"),
        (
            {"bond_lengths": GLASS["bond_lengths"] | {"Cu-Zr": 9.0}},
            "gives two lengths for the pair 'Cu-Zr'",
        ),
        ({"bond_lengths": [[1.0, 2.0], [2.0, 1.0]]}, "bond_lengths must be 3 rows of 3 numbers"),
        (
            {"bond_lengths": [[1.0, 2.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]},
            "bond_lengths must be symmetric",
        ),
        ({"breaking": 1.0}, r"breaking: expected greater than 1, found 1\.0"),
        ({"diameter": "large"}, "diameter: expected a valid number, found 'large'"),
        ({"density": 0.0}, r"density: expected greater than 0, found 0\.0"),
        ({"dimension": 1}, "dimension: expected 2 or 3, found 1"),
        ({"reference_species": "Ni"}, "must be one of Cu, Zr, Al, found Ni"),
        ({"sigma": 1.0}, "unknown key sigma; expected one of name, units, species"),
        ({"interactions": {"timestep": 0.1}}, r"lacks the key interactions\.commands"),
        (
            {"interactions": {"pair_style": "eam"}},
            r"unknown key interactions\.pair_style; expected one of commands, timestep",
        ),
    ],
)
def test_bad_content_is_named_by_its_key(changes, message):
    with pytest.raises(ValueError, match=rf"(?s)^glass\.toml: .*{message}"):
        parse_mixture(glass(**changes), "glass.toml")


def test_a_mixture_is_found_by_its_name_or_in_its_file(tmp_path):
    assert find_mixture("ka2d") is KA2D
    (tmp_path / "own.toml").write_text(
        'name = "own"\nunits = "lj"\nspecies = ["X"]\nmasses = [1]\nfractions = [1]\n'
        'diameter = 1.0\n[bond_lengths]\n"X-X" = 1.4\n'
    )
    own = find_mixture(tmp_path / "own.toml")
    assert isinstance(own, Mixture)
    assert (own.name, own.n_species, own.bond_lengths) == ("own", 1, ((1.4,),))
    with pytest.raises(ValueError, match="no mixture 'argon'; expected kob-andersen, ka2d or a fi"):
        find_mixture("argon")
    with pytest.raises(FileNotFoundError, match=r"no\.toml: no such file"):
        find_mixture(tmp_path / "no.toml")
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(ValueError, match=r"bad\.toml: not a TOML file: "):
        find_mixture(tmp_path / "bad.toml")
