"""`attach` of a model with a fallback, which predicts until the history is full."""

import numpy as np
import pytest
from fallbacks import save_all, save_remembering
from lmp import liquid, read_dump
from model_archives import with_extra_file
from python_runs import RANKS, results, run_python

pytestmark = pytest.mark.slow

ROUNDING = 2e-5
RUN = """
lmp = start(Path("in.liquid").read_text())
rank = lmp.extract_setting("world_rank")
seen = []

def on_frame(mob):
    changes = float(np.abs(mob.bond_changes).sum())
    share = round(6 * mob.history_share, 9)
    seen.append([mob.step, share, mob.propensities[:, 0].tolist(), changes])

with attach(lmp, model="m.pt", every=10, species=("A", "B"), on_frame=on_frame) as mob:
    early = fails(lambda: mob.propensities)
    lmp.commands_string('''
    fix a all botan 10 m.pt A B
    fix b all botan 10 plain.pt A B
    fix c all botan 10 thermal.pt A B
    dump g all custom 10 g.txt id d_propensity f_a f_b f_c
    dump_modify g format float %.9g sort id
    run 40
    undump g
    displace_atoms all move 0.1 0 0
    run 0
    ''')
Path(f"{rank}.json").write_text(json.dumps([early, seen]))
"""


@RANKS
def test_an_attachment_shows_the_fallback_and_then_the_model(tmp_path, ranks):
    """As the fix does, and from the first step on; `history_share` tells them apart."""
    (tmp_path / "in.liquid").write_text(liquid())
    save_all(tmp_path)
    run_python(RUN, tmp_path, ranks=ranks, PYTHONWARNINGS="ignore")
    frames = read_dump(tmp_path / "g.txt")
    assert [frame.step for frame in frames] == [0, 10, 20, 30, 40]
    for frame in frames:
        assert frame["f_b"].any() == (frame.step >= 30)
        expected = frame["f_b" if frame.step >= 30 else "f_c"]
        assert np.ptp(expected) > 0.01
        np.testing.assert_allclose(frame["f_a"], expected, atol=ROUNDING)
        np.testing.assert_allclose(frame["d_propensity"], expected, atol=ROUNDING)
    for early, seen in results(tmp_path, ranks):
        assert early.endswith("nothing has been scored yet; run first: lmp.command('run 0')")
        # after the atoms were moved the history has begun anew
        assert [[step, share] for step, share, *_ in seen] == [
            *([0, 1], [10, 3], [20, 5], [30, 6], [40, 6]),
            [40, 1],
        ]
        for frame, (_, _, propensities, changes) in zip(frames, seen[:5], strict=True):
            np.testing.assert_allclose(propensities, frame["d_propensity"], atol=ROUNDING)
            assert changes > 0


REFUSED = """
lmp = start(Path("in.liquid").read_text())
error = fails(lambda: attach(lmp, model="m.pt", every=10, species="A B"))
Path(f"{lmp.extract_setting('world_rank')}.json").write_text(json.dumps(error))
"""


@RANKS
def test_a_fallback_that_does_not_fit_is_refused_before_the_run(tmp_path, ranks):
    (tmp_path / "in.liquid").write_text(liquid())
    save_remembering(tmp_path / "plain.pt")
    content = b"no model"
    with_extra_file(tmp_path / "plain.pt", tmp_path / "m.pt", "fallback.pt", content)
    run_python(REFUSED, tmp_path, ranks=ranks)
    for error in results(tmp_path, ranks):
        assert "m.pt: its fallback: not a model file" in error
