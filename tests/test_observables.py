"""`lammps-botan observables`: averages of folders of runs, printed and drawn."""

import json
import subprocess

import numpy as np
import pytest
from dumps import write_runs
from lammps_botan.files.ensemble_npz_writer import write_configuration
from lmp import BIN

from lammps_botan.analysis.observables import Source, find_sources, observe
from lammps_botan.analysis.relaxation_time import fit_relaxation_time

N, L = 150, 5.0
TIMES = np.geomspace(0.01, 100, 12)
TYPES = np.repeat([0, 1], [120, 30])


def random_walks(rng, runs):
    """Brownian motion with D = 0.01 for A and 0.02 for B: positions [n_times + 1, runs, N, 3]."""
    initial = rng.random((N, 3)) * L
    steps = np.diff(TIMES, prepend=0.0)[:, None, None, None]
    diffusion = np.where(TYPES == 0, 0.01, 0.02)[:, None]
    moved = rng.normal(size=(len(TIMES), runs, N, 3)) * np.sqrt(2 * diffusion * steps)
    return initial + np.concatenate([np.zeros((1, runs, N, 3)), moved.cumsum(axis=0)])


@pytest.fixture(scope="module")
def ensembles(tmp_path_factory):
    """The same walks as npz files and as dumps."""
    rng = np.random.default_rng(11)
    npz, dumps = (tmp_path_factory.mktemp(name) for name in ("npz", "dumps"))
    walks = [random_walks(rng, 6) for _ in range(3)]
    for c, walk in enumerate(walks):
        for k, time in enumerate(TIMES):
            (npz / f"t{time:g}").mkdir(exist_ok=True)
            write_configuration(
                npz / f"t{time:g}" / f"c{c}.npz",
                species=TYPES,
                initial=walk[0, 0],
                final=walk[k + 1],
                cell=np.eye(3) * L,
                time=time,
            )
        (dumps / f"c{c}").mkdir()
        steps = [0, *np.rint(TIMES / 1e-5).astype(int)]
        write_runs(dumps / f"c{c}", walk, np.eye(3) * L, TYPES + 1, steps=steps)
    return npz, dumps, walks


def observables(*arguments, cwd):
    command = [BIN / "lammps-botan", "observables", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_brownian_motion_has_its_known_correlations(ensembles):
    """MSD = 6 D t and F_s = exp(-k^2 D t), within three standard errors."""
    found = observe(find_sources(ensembles[0]))
    assert (found.n_configurations, found.n_runs, found.n_particles) == (3, 18, N)
    for kind, diffusion in ((0, 0.01), (1, 0.02)):
        msd = 6 * diffusion * TIMES
        np.testing.assert_allclose(found.msd[:, kind] / msd, 1, atol=0.1)
        # the box allows no wavevector of exactly 2 pi / sigma, but one within 2 %
        k_squared = -np.log(found.scattering[4, kind]) / (diffusion * TIMES[4])
        expected = np.exp(-k_squared * diffusion * TIMES)
        assert k_squared == pytest.approx((2 * np.pi) ** 2, rel=0.1)
        np.testing.assert_allclose(found.scattering[:, kind], expected, atol=0.03)
    tau = 1 / ((2 * np.pi) ** 2 * 0.01)
    assert found.relaxation is not None
    assert found.relaxation.one_over_e == pytest.approx(tau, rel=0.1)


def test_errors_are_those_of_the_spread_between_configurations(ensembles):
    npz, _, walks = ensembles
    found = observe(find_sources(npz))
    means = [((walk[-1] - walk[0]) ** 2).sum(-1)[:, TYPES == 0].mean() for walk in walks]
    assert found.msd[-1, 0] == pytest.approx(np.mean(means))
    assert found.msd_error[-1, 0] == pytest.approx(np.std(means, ddof=1) / np.sqrt(3))
    overlaps = [(np.linalg.norm(w[5] - w[0], axis=-1) < 0.3).mean(axis=1) for w in walks]
    assert found.susceptibility[4] == pytest.approx(N * np.var(np.concatenate(overlaps)))


def test_dumps_and_npz_files_say_the_same(ensembles):
    npz, dumps, _ = ensembles
    a, b = observe(find_sources(npz)), observe(find_sources(dumps), dt=1e-5)
    np.testing.assert_allclose(a.times, b.times, rtol=1e-2)
    for name in ("scattering", "scattering_error", "msd", "msd_error", "susceptibility"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=1e-9, err_msg=name)


def test_a_single_configuration_takes_its_errors_from_the_runs(ensembles):
    _, dumps, walks = ensembles
    found = observe(find_sources(dumps / "c0"), dt=1e-5)
    moved = ((walks[0][-1] - walks[0][0]) ** 2).sum(-1)[:, TYPES == 0].mean(axis=1)
    assert found.msd_error[-1, 0] == pytest.approx(moved.std(ddof=1) / np.sqrt(6))


def test_the_command_prints_and_draws(ensembles, tmp_path):
    done = observables(ensembles[0], "-o", "figure.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tau_alpha = " in done.stdout
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads(observables(ensembles[0], "--json", cwd=tmp_path).stdout)
    assert content["tau_alpha"] > 0
    assert np.shape(content["scattering"]) == (12, 2)
    assert (tmp_path / "observables.png").exists()


def test_where_the_liquid_has_not_relaxed_there_is_no_tau_alpha(ensembles):
    (source, *_) = find_sources(ensembles[0])
    early = [path for path in source.files if float(path.parent.name[1:]) < 1]
    found = observe([Source(source.name, tuple(early))])
    assert found.relaxation is None
    assert "add lag times" in found.reason or "run longer" in found.reason


def test_the_error_of_tau_alpha_is_a_jackknife_over_configurations(ensembles):
    """Leaving out one configuration after the other, by hand."""
    sources = find_sources(ensembles[0])
    found = observe(sources)
    without = []
    for k in range(3):
        pair = [observe([source]).scattering[:, 0] for j, source in enumerate(sources) if j != k]
        without.append(fit_relaxation_time(TIMES, np.mean(pair, axis=0)).tau_alpha)
    expected = np.sqrt(2 / 3 * np.sum((without - np.mean(without)) ** 2))
    assert found.tau_alpha_error == pytest.approx(expected, rel=1e-6)
    assert found.tau_alpha_error > 0


def test_a_single_run_has_no_errors_and_no_susceptibility(ensembles, tmp_path):
    _, dumps, _ = ensembles
    (tmp_path / "run.dump").write_bytes((dumps / "c0" / "run_0.dump").read_bytes())
    found = observe(find_sources(tmp_path), dt=1e-5)
    assert np.isnan(found.msd_error).all()
    assert np.isnan(found.susceptibility).all()


def copy(ensembles, folder, *names):
    for name in names:
        for k in (3, 7):
            path = folder / f"{name}_{k}.npz"
            path.write_bytes((ensembles[0] / f"t{TIMES[k]:g}" / f"{name}.npz").read_bytes())


def rewrite(path, **changes):
    with np.load(path, allow_pickle=False) as archive:
        content = {key: archive[key] for key in archive.files}
    np.savez(path, **{k: v for k, v in (content | changes).items() if v is not None})


def test_files_are_of_one_configuration_whatever_their_names(ensembles, tmp_path):
    copy(ensembles, tmp_path, "c0", "c1")
    found = observe(find_sources(tmp_path))
    assert (found.n_configurations, len(found.times)) == (2, 2)


def test_what_is_unfinished_does_not_count(ensembles, tmp_path):
    copy(ensembles, tmp_path, "c0")
    (tmp_path / "unfinished" / "c1").mkdir(parents=True)
    run = (ensembles[1] / "c1" / "run_0.dump").read_bytes()
    (tmp_path / "unfinished" / "c1" / "run_0.dump").write_bytes(run)
    assert observe(find_sources(tmp_path)).n_configurations == 1


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("twice", "several files of this configuration at lag time"),
        ("time", "has no key time"),
        ("lag times", "expected .* as in"),
        ("particles", "100 particles, 150 in"),
        ("dumps", "holds npz files .* and dumps"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(ensembles, tmp_path, how, message):
    copy(ensembles, tmp_path, "c0", "c1")
    victim = tmp_path / "c1_7.npz"
    if how == "twice":
        (tmp_path / "again.npz").write_bytes(victim.read_bytes())
    elif how == "time":
        rewrite(victim, time=None)
    elif how == "lag times":
        victim.unlink()
    elif how == "particles":
        for k in (3, 7):
            with np.load(tmp_path / f"c1_{k}.npz", allow_pickle=False) as archive:
                content = {key: archive[key] for key in archive.files}
            content["types"] = content["types"][:100]
            content["initial_positions"] = content["initial_positions"][:100]
            content["positions"] = content["positions"][:, :100]
            np.savez(tmp_path / f"c1_{k}.npz", **content)
    else:
        (tmp_path / "run.dump").write_text("")
    with pytest.raises(ValueError, match=message):
        observe(find_sources(tmp_path))


def test_what_is_no_folder_of_runs_is_refused(ensembles, tmp_path):
    done = observables(tmp_path / "none", cwd=tmp_path)
    assert done.returncode == 1
    assert "no such folder" in done.stderr
    done = observables(tmp_path, cwd=tmp_path)
    assert "neither npz files of `lammps-botan simulate isoconfig` nor *.dump files" in done.stderr
    (tmp_path / "x.npz").write_bytes((ensembles[0] / "t0.01" / "c0.npz").read_bytes()[:100])
    done = observables(tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert "x.npz" in done.stderr
