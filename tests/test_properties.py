"""What holds for all that hypothesis thinks of: boxes, data files, and files of any content."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lammps_botan.files.lammps_data import read_lammps_data, write_lammps_data
from lammps_botan.files.mixture_toml import find_mixture
from lammps_botan.files.trajectory import open_frames
from lammps_botan.network.metadata import Metadata, parse_metadata
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration

# the same examples each time; files of tests are small
SETTINGS = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
EDGES = st.floats(0.3, 30.0)
TILTS = st.floats(-0.5, 0.5)  # of an edge: what LAMMPS allows
NUMBERS = st.floats(-1e3, 1e3, width=32)


@st.composite
def boxes(draw):
    """Any box that LAMMPS allows."""
    lx, ly, lz = draw(EDGES), draw(EDGES), draw(EDGES)
    xy, xz, yz = draw(TILTS) * lx, draw(TILTS) * lx, draw(TILTS) * ly
    periodic = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    return Box(np.array([[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]]), periodic)


@SETTINGS
@given(boxes(), st.tuples(TILTS, TILTS, TILTS))
def test_no_image_is_shorter_than_the_minimum_image(box, fractions):
    vector = np.array(fractions) @ box.cell
    found = box.minimum_image(vector)
    reach = [range(-3, 4) if periodic else (0,) for periodic in box.periodic]
    images = vector + np.array(list(itertools.product(*reach))) @ box.cell
    assert np.linalg.norm(found) <= np.linalg.norm(images, axis=1).min() * (1 + 1e-12)
    # and it is an image
    steps = (found - vector) @ np.linalg.inv(box.cell)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)


@SETTINGS
@given(boxes(), st.tuples(TILTS, TILTS, TILTS), st.tuples(*[st.integers(-9, 9)] * 3))
def test_the_minimum_distance_is_the_same_from_every_image(box, fractions, steps):
    vector = np.array(fractions) @ box.cell
    other = vector + (np.array(steps) * box.periodic) @ box.cell
    lengths = np.linalg.norm(box.minimum_image(np.array([vector, other])), axis=1)
    assert lengths[1] == pytest.approx(lengths[0], rel=1e-9, abs=1e-9)


@SETTINGS
@given(
    arrays.arrays(float, st.tuples(st.integers(1, 8), st.just(3)), elements=st.floats(0, 1)),
    st.tuples(EDGES, EDGES, EDGES),
    st.data(),
)
def test_a_data_file_gives_back_what_was_written(tmp_path, fractions, edges, data):
    n = len(fractions)
    ids = data.draw(st.lists(st.integers(1, 2**31 - 1), min_size=n, max_size=n, unique=True))
    species = data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    assume(0 in species)
    box = Box(edges, (True, True, True))
    written = Configuration(
        positions=fractions * edges, species=np.array(species), box=box, ids=np.array(ids)
    )
    write_lammps_data(tmp_path / "c.data", written, "any")
    read = read_lammps_data(tmp_path / "c.data")
    order = np.argsort(ids)
    again = np.argsort(read.ids)
    np.testing.assert_array_equal(read.ids[again], np.array(ids)[order])
    np.testing.assert_array_equal(read.types[again], written.species[order] + 1)
    apart = box.minimum_image(read.positions[again] - written.positions[order])
    assert np.abs(apart).max() <= 1e-12 * max(edges)


WORDS = st.sampled_from(
    [
        *("ITEM: TIMESTEP", "ITEM: NUMBER OF ATOMS", "ITEM: BOX BOUNDS pp pp pp", "0 5", "2"),
        *("ITEM: ATOMS id type x y z", "1 1 0 0 0", "2 2 1 1 1", "2 atoms", "1 atom types"),
        *(
            "0 5 xlo xhi",
            "Atoms # atomic",
            "Masses",
            "A 0 0 0",
            "",
            "name = 'x'",
            "[recipe]",
            "nan",
        ),
    ]
)
TEXTS = st.one_of(st.lists(WORDS, max_size=14).map("\n".join), st.text(max_size=60))


@SETTINGS
@given(TEXTS, st.sampled_from(["f.dump", "f.data", "f.xyz"]))
def test_a_trajectory_of_any_text_is_read_or_refused_by_name(tmp_path, text, name):
    path = tmp_path / name
    path.write_text(text)
    try:
        for frame in open_frames(path, box=[5.0, 5.0, 5.0] if name == "f.xyz" else None):
            assert np.isfinite(frame.positions).all()
    except ValueError as error:
        assert name in str(error)  # noqa: PT017 - both ways are right


@SETTINGS
@given(TEXTS)
def test_a_mixture_of_any_text_is_refused_by_name(tmp_path, text):
    path = tmp_path / "mixture.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"mixture\.toml"):
        find_mixture(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KEYS = [name for name in Metadata.model_fields if name != "networks"]


@SETTINGS
@given(st.dictionaries(st.sampled_from(["format", "format_version", *KEYS]), JSON))
def test_metadata_of_any_values_are_refused_by_name(content):
    with pytest.raises(ValueError, match=r"m\.pt"):
        parse_metadata("m.pt", json.dumps(content).encode())
