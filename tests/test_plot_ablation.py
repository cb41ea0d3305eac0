"""Pictures of correlations against what differs between models."""

from evaluation_json import history, model, write
from pictures import words
from score_runs import run


def test_an_ablation_has_a_panel_for_the_length_of_the_history(tmp_path):
    """A curve for each network, which its architecture tells apart, on its own configurations."""
    files = [
        write(
            tmp_path / f"{window:g}",
            model("linear.pt", architecture="linear", rounds=5, width=4, inputs=history(window)),
            model("se3.pt", architecture="equivariant", rounds=3, inputs=history(window)),
            # the same configurations in another folder
            configurations=[f"w{window:g}/1.npz", f"w{window:g}/2.npz"],
            sha256=["a1", "b2"],
        )
        for window in (1.0, 10.0, 100.0)
    ]
    run("plot", "ablation", *files, "-o", tmp_path / "a.svg")
    found = words(tmp_path / "a.svg")
    assert {r"length of the history $t_w/\tau$", "1", "10", "100"} <= set(found)
    assert [text for text in found if text.startswith(r"$\rho_S$")] == [
        r"$\rho_S$ (A), linear",
        r"$\rho_S$ (A), equivariant",
    ]
    assert not [text for text in found if "rounds" in text]


def test_an_ablation_has_a_panel_for_the_number_of_training_configurations(tmp_path):
    """At one length of the history, and with inherent structures as another line."""
    kinds = [
        model(f"{n} {inherent}", training_configurations=n, inputs={"inherent": inherent})
        for n in (1, 2, 5, 10)
        for inherent in (None, {"force": 0.1})
    ]
    run("plot", "ablation", write(tmp_path / "a", *kinds), "-o", tmp_path / "a.svg")
    found = words(tmp_path / "a.svg")
    assert {"training configurations", "1", "2", "5", "10"} <= set(found)
    lines = {r"$\rho_S$ (A)", r"$\rho_S$ (A), inherent structure"}
    assert lines == {text for text in found if text.startswith(r"$\rho_S$")}


def test_lines_say_temperature_and_lag_time_where_architectures_differ_too(tmp_path):
    files = [
        write(
            tmp_path / name,
            *(
                model(f"{n} {name}", training_configurations=n, architecture=name, lag_time=time)
                for n in (1, 10)
            ),
        )
        for name, time in (("linear", 13.0), ("equivariant", 130.0))
    ]
    run("plot", "ablation", *files, "-o", tmp_path / "a.svg")
    lines = [text for text in words(tmp_path / "a.svg") if text.startswith(r"$\rho_S$")]
    assert lines == [r"$\rho_S$ (A), linear, t = 13", r"$\rho_S$ (A), equivariant, t = 130"]


def test_an_ablation_has_a_panel_for_what_differs(tmp_path):
    rounds = [model(f"n{n}.pt", rounds=n) for n in (1, 4, 7)]
    weights = [model(f"p{p}.pt", p=p) for p in (0.0, 0.2, 1.0)]
    late = [{**m, "lag_time": 4120.0} for m in rounds]
    files = [write(tmp_path / "n", *rounds), write(tmp_path / "late", *late)]
    run("plot", "ablation", *files, "-o", tmp_path / "a.svg")
    found = words(tmp_path / "a.svg")
    assert {"number of rounds $n$", "T = 0.44, p = 0.4"} <= set(found)
    assert {rf"$\rho_S$ (A), t = {t}" for t in (130, 4120)} <= set(found)
    assert not [text for text in found if "weight" in text]
    # the model with n = 7 and p = 0.4 is in two files, and one model all the same
    both = write(tmp_path / "p", *weights, rounds[-1])
    run("plot", "ablation", files[0], both, "-o", tmp_path / "b.svg")
    found = words(tmp_path / "b.svg")
    assert {"T = 0.44, t = 130, p = 0.4", "T = 0.44, t = 130, n = 7"} <= set(found)
    assert not [text for text in found if "median" in text]
    assert "0.2" in found
