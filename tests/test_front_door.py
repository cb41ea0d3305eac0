"""What `from lammps_botan import ...` gives, and addresses from before the rooms."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from score_runs import liquid_configuration, liquid_frames, toy

import lammps_botan
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.graph import build_graph

pytestmark = pytest.mark.slow

POSITIONS, TYPES = liquid_frames(1)
NAMES = [
    "Box",
    "Configuration",
    "Graph",
    "KA2D",
    "KOB_ANDERSEN",
    "Mixture",
    "Predictor",
    "attach",
    "evaluate",
    "score",
    "train",
]


def python(code):
    """Run Python with a package that nobody has imported yet; what it prints."""
    command = [sys.executable, "-P", "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_loads_nothing_heavy():
    heavy = ("torch", "numpy", "pydantic", "MDAnalysis", "scipy", "lightning", "vesin", "rich")
    code = f"import sys, lammps_botan; print([m for m in {heavy} if m in sys.modules])"
    assert python(code) == "[]"


def test_the_types_of_the_liquid_need_no_torch():
    names = "Box, Configuration, Graph, Mixture, KOB_ANDERSEN, KA2D"
    assert python(
        f"import sys; from lammps_botan import {names}; print('torch' in sys.modules)"
    ) == ("False")


def test_the_front_door_has_these_names():
    assert sorted(lammps_botan.__all__) == NAMES
    assert set(NAMES) <= set(dir(lammps_botan))


@pytest.mark.parametrize("name", NAMES)
def test_each_name_says_what_it_is_with_an_example(name):
    found = getattr(lammps_botan, name)
    text = (found if callable(found) else type(found)).__doc__
    assert "Examples\n" in text
    assert ">>> " in text


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'lammps_botan' has no attribute 'predict'"):
        lammps_botan.predict  # noqa: B018


@pytest.mark.parametrize(("address", "name"), [("score", "score"), ("evaluate", "evaluate")])
def test_a_former_module_of_the_same_name_does_not_hide_the_function(address, name):
    """In either order; both can be called, and raise what the function raises."""
    former = f"from lammps_botan.{address} import {name} as former"
    today = f"from lammps_botan import {name} as today"
    for lines in ((former, today), (today, former), (today, former, today)):
        code = "\n".join(
            [
                "import warnings",
                "warnings.simplefilter('ignore', DeprecationWarning)",
                *lines,
                "for f in (former, today):",
                "    try: list(f([], 'no-such-model') if f.__name__.endswith('score') else",
                "              f(['no-such-model'], []))",
                "    except (FileNotFoundError, ValueError) as error: print(error)",
            ]
        )
        first, second = python(code).splitlines()
        assert first == second
        assert "no-such-model" in first


FORMER = {
    "callbacks": ("attach", "lammps_botan.prediction.callbacks"),
    "scorer": ("Scorer", "lammps_botan.Predictor"),
    "score": ("score", "lammps_botan.score"),
    "evaluate": ("evaluate", "lammps_botan.evaluate"),
}


@pytest.mark.parametrize("module", FORMER)
def test_a_former_address_works_and_names_the_new_one(module):
    name, new = FORMER[module]
    code = f"""
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from lammps_botan.{module} import {name}
assert callable({name})
(warning,) = [w for w in caught if "lammps_botan" in str(w.message)]
print(warning.category.__name__, warning.message)
"""
    printed = python(code)
    assert printed.startswith(f"DeprecationWarning lammps_botan.{module}")
    assert f"is now {new}" in printed


@pytest.fixture
def former(tmp_path):
    """The former classes `Graph` and `Scorer`, and a toy model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from lammps_botan.graph import Graph
        from lammps_botan.scorer import Scorer
    return Graph, Scorer(toy(tmp_path))


def arrays(graph):
    return {name: getattr(graph, name) for name in ("species", "center", "neighbor", "vectors")}


def test_the_former_scorer_predicts_for_a_former_graph_with_a_warning(former):
    graph_class, scorer = former
    configuration = liquid_configuration(POSITIONS[0], TYPES)
    graph = build_graph(configuration, 2.0)
    expected = Predictor(scorer.path).predict(configuration).node
    with pytest.warns(UserWarning, match=r"does not say its cutoff; its longest edge is 1\.9"):
        prediction = scorer.score(graph_class(**arrays(graph)))
    np.testing.assert_array_equal(prediction.node, expected)
    np.testing.assert_array_equal(scorer.score(graph).node, expected)
    assert scorer.metadata.cutoff == 2.0
    assert scorer.engine == "torch"


def test_the_former_scorer_refuses_a_graph_of_a_longer_cutoff(former):
    graph_class, scorer = former
    graph = build_graph(liquid_configuration(POSITIONS[0], TYPES), 2.2)
    with pytest.raises(ValueError, match=r"with the cutoff 2, found an edge of length 2\.1"):
        scorer.score(graph_class(**arrays(graph)))
    with pytest.raises(ValueError, match=r"with the cutoff 2, found 2\.2"):
        scorer.score(graph)
    with pytest.raises(ValueError, match="with the cutoff 2, found nan"):
        scorer.score(graph.only(graph.distances < 1.5))  # of bonds, not of an older version
