"""Simulations of several calls in one folder, and of files of several liquids."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from lammps_botan import KOB_ANDERSEN, Box, Configuration
from lammps_botan.files.ensemble import read_start
from lammps_botan.files.output_folder import UNFINISHED, check_products, open_output
from lammps_botan.simulation.liquid import Liquid
from lammps_botan.simulation.starts import of_one_liquid, read_starts, write_start


@pytest.fixture
def liquid():
    sites = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
    species = np.repeat([0, 1], [100, 25])
    box = Box(4.705, (True, True, True))
    return Configuration(sites, species, box, mixture=KOB_ANDERSEN, where="one.npz")


def test_unfinished_runs_of_other_configurations_stay(tmp_path):
    pytest.importorskip("distributed", reason="simulations are jobs of Dask")
    from lammps_botan.simulation.equilibration import equilibrate

    others = [
        tmp_path / UNFINISHED / place / "run.restart"
        for place in ("equilibrate/ka-0007", "isoconfig/ka-0001", "history/ka-0001")
    ]
    for other in others:
        other.parent.mkdir(parents=True)
        other.write_bytes(b"days of work")
    durations = {"time": 0.02, "melt_time": 0.02, "cooling_time": 0.02}
    # numbers of NumPy, as of a loop over linspace
    temperature, n = np.linspace(0.9, 1.0, 2)[1], np.int64(100)
    [made] = equilibrate(tmp_path, temperature=temperature, n_particles=n, workers=1, **durations)
    assert read_start(made).n_particles == 100
    assert made.stem == "ka-0001"
    assert [other.read_bytes() for other in others] == 3 * [b"days of work"]
    assert not (tmp_path / UNFINISHED / "equilibrate" / made.stem).exists()


def test_files_of_two_liquids_are_not_simulated_together(liquid):
    forces = KOB_ANDERSEN.interactions.model_copy(update={"commands": "pair_style lj/cut 1.122"})
    repulsive = replace(
        liquid, mixture=KOB_ANDERSEN.model_copy(update={"name": "wca", "interactions": forces})
    )
    heavy = replace(liquid, mixture=KOB_ANDERSEN.model_copy(update={"masses": (1.0, 2.5)}))
    of_one_liquid([liquid, liquid], None)
    with pytest.raises(ValueError, match=r"is wca, but the others are .* in interactions.c"):
        of_one_liquid([liquid, repulsive], None)
    with pytest.raises(ValueError, match=r"is wca, but --mixture says kob-andersen"):
        of_one_liquid([repulsive], Liquid(KOB_ANDERSEN))
    with pytest.raises(ValueError, match=r"differ in masses \[1.0, 2.5\] and \[1.0, 1.0\]"):
        of_one_liquid([liquid, heavy], None)


def test_ids_with_gaps_are_counted_anew_in_their_order(tmp_path, liquid):
    ids = 3 * np.random.default_rng(1).permutation(liquid.n_particles) + 8
    write_start(tmp_path / "gaps.data", replace(liquid, ids=ids), "with gaps")
    found = read_start(tmp_path / "gaps.data")
    by_id = np.argsort(found.ids)
    np.testing.assert_array_equal(found.ids[by_id], np.arange(1, liquid.n_particles + 1))
    np.testing.assert_allclose(found.positions[by_id], liquid.positions[np.argsort(ids)], atol=1e-9)


def test_a_product_of_another_command_is_refused(tmp_path):
    product = tmp_path / "c1.npz"
    product.write_bytes(b"of another command")
    with pytest.raises(ValueError, match="not by `simulate history`; choose another folder"):
        check_products(tmp_path, "history", [product])
    with open_output(tmp_path, "history", {}, {"c1": {}}):
        check_products(tmp_path, "history", [product])
    assert product.read_bytes() == b"of another command"


@pytest.mark.parametrize("prefix", ["my glass", "sub/x", "$x"])
def test_a_prefix_that_is_no_part_of_a_name_is_refused(tmp_path, prefix):
    pytest.importorskip("distributed", reason="simulations are jobs of Dask")
    from lammps_botan.simulation.equilibration import equilibrate

    forces = KOB_ANDERSEN.interactions.model_copy(update={"prefix": prefix})
    mixture = KOB_ANDERSEN.model_copy(update={"interactions": forces})
    with pytest.raises(ValueError, match=r"interactions.prefix of kob-andersen"):
        equilibrate(tmp_path / "out", temperature=1.0, time=1.0, mixture=mixture)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("names", [(), ("B", "A")])
def test_masses_of_a_data_file_that_the_runs_do_not_take_are_told(tmp_path, liquid, names):
    path = tmp_path / "heavy.data"
    write_start(path, liquid, "of equal masses")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_starts([path], None)
    text = path.read_text()
    labels = "".join(f"{k + 1} {name}\n" for k, name in enumerate(names))
    section = f"Atom Type Labels\n\n{labels}\nMasses" if names else "Masses"
    start = text.index("Masses")
    rows = f"{section}\n\n{names[0] if names else 1} 1\n{names[1] if names else 2} 2.5\n\n"
    path.write_text(text[:start] + rows + text[text.index("Atoms", start) :])
    mixture = KOB_ANDERSEN
    if names:  # the rows of the atoms are types 1 and 2: mostly B
        mixture = KOB_ANDERSEN.model_copy(update={"fractions": (0.2, 0.8), "density": None})
    told = f"has the mass 2.5 for {names[1] if names else 'B'}; the simulation takes 1, which"
    with pytest.warns(UserWarning, match=told):
        read_starts([path], mixture)


def test_files_without_masses_are_no_reason_for_a_warning(tmp_path, liquid):
    path = tmp_path / "c1.npz"
    ends = liquid.positions[None]
    about = {"types": liquid.species, "box": 4.705}
    np.savez(path, initial_positions=liquid.positions, positions=ends, **about)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [start], _ = read_starts([path], "kob-andersen")
    assert start.n_particles == liquid.n_particles


@pytest.mark.parametrize("row", ["1", "1 heavy", "C 1"])
def test_rows_that_are_no_masses_are_named(tmp_path, liquid, row):
    path = tmp_path / "broken.data"
    write_start(path, liquid, "of equal masses")
    text = path.read_text()
    assert text.count("\n1 1\n2 1\n") == 1
    path.write_text(text.replace("\n1 1\n2 1\n", f"\n{row}\n2 1\n"))
    with pytest.raises(ValueError, match=rf"broken\.data: .* of Masses, found {row}; 2 1"):
        read_starts([path], None)
