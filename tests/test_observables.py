"""`lammps-botan observables`: averages of folders of runs, printed and drawn."""

import contextlib
import json

import numpy as np
import pytest
from click.testing import CliRunner
from dumps import write_runs
from public_data import KA2D_RUNS, needs_ka2d

from lammps_botan.analysis.observables import observe
from lammps_botan.analysis.relaxation_time import fit_relaxation_time
from lammps_botan.analysis.sources import Source, find_sources
from lammps_botan.cli import main
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import KOB_ANDERSEN

pytestmark = pytest.mark.slow

N, L = 150, 5.0
TIMES = np.geomspace(0.01, 100, 12)
TYPES = np.repeat([0, 1], [120, 30])


def random_walks(rng, runs, slower=1.0):
    """Brownian motion with D = 0.01 for A and 0.02 for B: positions [n_times + 1, runs, N, 3]."""
    initial = rng.random((N, 3)) * L
    steps = np.diff(TIMES, prepend=0.0)[:, None, None, None]
    diffusion = np.where(TYPES == 0, 0.01, 0.02)[:, None] / slower
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
            start = Configuration(walk[0, 0], TYPES, Box(L, (True, True, True)))
            ensemble = Ensemble(start, walk[k + 1], lag_time=time)
            write_ensemble(npz / f"t{time:g}" / f"c{c}.npz", ensemble)
        (dumps / f"c{c}").mkdir()
        steps = [0, *np.rint(TIMES / 1e-5).astype(int)]
        write_runs(dumps / f"c{c}", walk, np.eye(3) * L, TYPES + 1, steps=steps)
    return npz, dumps, walks


def observables(*arguments, cwd):
    """Run `lammps-botan observables` in this process."""
    with contextlib.chdir(cwd):
        result = CliRunner().invoke(main, ["observables", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


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
    assert found.susceptibility[4] == pytest.approx(N * np.var(np.concatenate(overlaps), ddof=1))


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
    assert done.exit_code == 0, done.stderr
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


def test_tau_alpha_stays_where_a_fit_of_its_error_fails(tmp_path):
    """F_s of four configurations ends at about .4, and with a fast one the mean is below 1/e.

    The mean is 0.2 exp(-t / tau) + 0.8 exp(-t / 44 tau), where tau is 1 / k^2 D of the fast one.
    """
    rng = np.random.default_rng(5)
    for c in range(5):
        walk = random_walks(rng, 4, slower=44.0 if c else 1.0)
        (tmp_path / f"c{c}").mkdir()
        steps = [0, *np.rint(TIMES / 1e-5).astype(int)]
        write_runs(tmp_path / f"c{c}", walk, np.eye(3) * L, TYPES + 1, steps=steps)
    found = observe(find_sources(tmp_path), dt=1e-5)
    assert 0.25 < found.scattering[-1, 0] < 1 / np.e
    assert found.relaxation is not None
    assert found.relaxation.tau_alpha == pytest.approx(44 / (4 * np.pi**2 * 0.01), rel=0.2)
    assert np.isnan(found.tau_alpha_error)
    done = observables(tmp_path, "--dt", "1e-5", cwd=tmp_path)
    assert f"tau_alpha = {found.relaxation.tau_alpha:.5g} ± nan" in done.stdout
    said = "no error of tau_alpha: it needs a fit without "
    assert f"{said}{tmp_path / 'c0'}, and there tau_alpha lies after these times" in done.stdout
    assert "no tau_alpha" not in done.stdout


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


NOISE = (0.10000000000000853, 0.09999999999999432)  # 0.1 as differences of long times


def test_lag_times_that_differ_by_rounding_are_one(ensembles, tmp_path):
    """Of two configurations, whose files give 0.1 as differences of other times."""
    copy(ensembles, tmp_path, "c0", "c1")
    expected = observe(find_sources(tmp_path))
    for name, time in zip(("c0", "c1"), NOISE, strict=True):
        rewrite(tmp_path / f"{name}_3.npz", time=time)
    found = observe(find_sources(tmp_path))
    assert found.times == pytest.approx([0.1, TIMES[7]])
    np.testing.assert_array_equal(found.msd, expected.msd)


def test_dumps_may_begin_at_any_step(ensembles, tmp_path):
    """Snapshots of one equilibration: the same runs as from step 0 have the same averages."""
    walks = ensembles[2]
    for folder, starts in (("zero", (0, 0)), ("later", (100_000, 200_000))):
        for c, start in enumerate(starts):
            (tmp_path / folder / f"c{c}").mkdir(parents=True)
            steps = [start, start + 100, start + 1650]
            write_runs(
                tmp_path / folder / f"c{c}", walks[c][:3], np.eye(3) * L, TYPES + 1, steps=steps
            )
    zero, later = (observe(find_sources(tmp_path / folder)) for folder in ("zero", "later"))
    assert later.times.tolist() == zero.times.tolist() == pytest.approx([0.1, 1.65], rel=1e-15)
    np.testing.assert_array_equal(later.msd, zero.msd)


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
        ("rounded", "several files of this configuration at lag time"),
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
    elif how == "rounded":
        rewrite(victim, time=NOISE[0])
        (tmp_path / "again.npz").write_bytes(victim.read_bytes())
        rewrite(victim, time=NOISE[1])
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
    assert done.exit_code == 1
    assert "no such folder" in done.stderr
    done = observables(tmp_path, cwd=tmp_path)
    assert "neither npz files of `lammps-botan simulate isoconfig` nor *.dump files" in done.stderr
    (tmp_path / "x.npz").write_bytes((ensembles[0] / "t0.01" / "c0.npz").read_bytes()[:100])
    done = observables(tmp_path, cwd=tmp_path)
    assert done.exit_code == 1
    assert "x.npz" in done.stderr


KA2D_TIMES = {5: 0.1, 10: 1.1, 15: 11.64, 20: 122.47, 25: 1288, 30: 13554, 35: 142587, 40: 1.5e6}


@needs_ka2d
def test_the_two_dimensional_mixture_by_the_command_line(tmp_path):
    """Published files as they are; mean S of species 1 is that of their README."""
    options = [f"--time=tc{k:02d}={time}" for k, time in KA2D_TIMES.items()]
    done = observables(KA2D_RUNS, *options, "--json", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["mixture"], found["species"]) == ("ka2d", ["A", "B", "C"])
    assert found["times"] == list(KA2D_TIMES.values())
    mean_s = [0.053, 0.122, 0.126, 0.132, 0.130, 0.134, 0.191, 0.626]
    np.testing.assert_allclose(np.array(found["propensity"])[:, 0], mean_s, atol=5e-4)

    with np.load(KA2D_RUNS / "N1290T0.23_151_tc40.npz") as archive:
        types, length = archive["types"], float(archive["box"])
        moved = archive["positions"] - archive["initial_positions"]
    integers = np.array([(x, y) for x in range(-40, 41) for y in range(-40, 41)])
    vectors = 2 * np.pi / length * integers
    vectors = vectors[np.abs(np.linalg.norm(vectors, axis=1) / (2 * np.pi) - 1) <= 0.005]
    for kind in (1, 2, 3):
        own = moved[:, types == kind]
        msd, scattering = (found[key][-1][kind - 1] for key in ("msd", "scattering"))
        assert msd == pytest.approx((own**2).sum(axis=2).mean())
        assert scattering == pytest.approx(np.mean([np.cos(run @ vectors.T) for run in own]))


@needs_ka2d
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "has no key time, so its lag time is unknown; say it by a part of the name"),
        (["--time", "tc=1", "--time", "tc05=2"], "several lag times are given for this name"),
        (["--time", "tc=1"], "several files of this configuration at lag time 1"),
        (["--time", "0.1"], "expected a part of a file name and a time, as in tc05=0.1"),
        (["--mixture", "kob-andersen"], "kob-andersen"),
    ],
)
def test_lag_times_that_are_not_clear_are_refused(tmp_path, options, message):
    done = observables(KA2D_RUNS, *options, cwd=tmp_path)
    assert done.exit_code > 0
    assert message in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_a_lag_time_that_contradicts_the_file_is_refused(ensembles, tmp_path):
    copy(ensembles, tmp_path, "c0")
    with pytest.raises(ValueError, match=r"c0_3.npz: holds the lag time .*, found --time c0_3=7"):
        observe(find_sources(tmp_path), times={"c0_3": 7.0})


def test_a_folder_of_two_mixtures_is_refused(ensembles, tmp_path):
    copy(ensembles, tmp_path, "c0", "c1")
    other = KOB_ANDERSEN.model_copy(update={"diameter": 2.0})
    for k in (3, 7):
        rewrite(tmp_path / f"c1_{k}.npz", mixture=other.model_dump_json())
    with pytest.raises(ValueError, match=r"mixture differs in diameter 2 and 1; put each system"):
        observe(find_sources(tmp_path))


@pytest.mark.parametrize("victims", [("c1_3", "c1_7"), ("c1_7",)])
def test_temperatures_are_not_averaged_over(ensembles, tmp_path, victims):
    """Neither those of two configurations nor those of two lag times of one configuration."""
    copy(ensembles, tmp_path, "c0", "c1", "c2")
    for path in tmp_path.glob("c[01]_*.npz"):
        rewrite(path, temperature=0.5 if path.stem in victims else 0.44)
    message = r"c1_\d\.npz: temperature 0\.5, expected 0\.44 as in .*\.npz; an average is over one"
    with pytest.raises(ValueError, match=message):
        observe(find_sources(tmp_path))
    for victim in victims:
        rewrite(tmp_path / f"{victim}.npz", temperature=0.442)
    assert observe(find_sources(tmp_path)).n_configurations == 3


def test_densities_are_not_averaged_over(ensembles, tmp_path):
    copy(ensembles, tmp_path, "c0", "c1")
    for k in (3, 7):
        rewrite(tmp_path / f"c1_{k}.npz", box=1.01 * L)
    assert observe(find_sources(tmp_path)).n_configurations == 2
    for k in (3, 7):
        rewrite(tmp_path / f"c1_{k}.npz", box=1.03 * L)
    with pytest.raises(ValueError, match=r"c1_7\.npz: density 1\.098, expected 1\.2 as in .*c0_"):
        observe(find_sources(tmp_path))
    slab = {"periodic": np.array([True, True, False])}
    for k in (3, 7):
        rewrite(tmp_path / f"c1_{k}.npz", **slab)
    assert observe(find_sources(tmp_path)).n_configurations == 2


def test_wavenumber_and_overlap_are_measured_in_diameters(ensembles):
    """With a diameter twice as long k is half as large, and particles overlap farther."""
    npz, _, walks = ensembles
    double = KOB_ANDERSEN.model_copy(update={"diameter": 2.0})
    found = observe(find_sources(npz), mixture=double)
    assert found.k == pytest.approx(np.pi)
    overlaps = [(np.linalg.norm(w[5] - w[0], axis=-1) < 0.6).mean(axis=1) for w in walks]
    assert found.susceptibility[4] == pytest.approx(N * np.var(np.concatenate(overlaps), ddof=1))
