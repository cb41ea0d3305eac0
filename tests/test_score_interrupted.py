"""What is left of a scoring that ends early: whole frames, under their final name."""

import resource
import signal
import time

import pytest
from dumps import write
from lmp import read_dump
from score_runs import dump_text, liquid_frames, neighbors, run, start, toy, whole_frames

pytestmark = [pytest.mark.slow, pytest.mark.long]

POSITIONS, TYPES = liquid_frames(3)


def test_a_disk_that_fills_keeps_whole_frames_only(tmp_path):
    dump = write(tmp_path / "run.dump", *dump_text(POSITIONS, TYPES))
    model, out, bonds = toy(tmp_path), tmp_path / "scored.dump", tmp_path / "scored.bonds"
    run("score", dump, "--model", model, "--out", out, "--bonds", bonds)
    size = max(out.stat().st_size, bonds.stat().st_size)
    # so much may be written: two frames and a half of the larger file
    limit = int(size * 2.5 / 3)
    process = start(
        *("score", dump, "--model", model, "--out", out, "--bonds", bonds),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    printed = process.communicate()[0]
    assert process.returncode == 1
    assert "cannot write a frame: File too large; make room" in " ".join(printed.split())
    assert "holds the 2 frames scored so far" in " ".join(printed.split())
    assert whole_frames(out, [neighbors(x) for x in POSITIONS]) == 2
    assert [frame.step for frame in read_dump(bonds)] == [0, 10]


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(
    ("kind", "workers"),
    [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGTERM, 1), (signal.SIGKILL, 2)],
)
def test_an_interruption_leaves_whole_frames(kind, workers, tmp_path):
    n_frames = 4000
    text = dump_text(POSITIONS[:1], TYPES)[0]
    dump = write(tmp_path / "run.dump", *[text] * n_frames)
    out, bonds = tmp_path / "scored.dump", tmp_path / "scored.bonds"
    process = start(
        *("score", dump, "--model", toy(tmp_path), "--out", out, "--bonds", bonds),
        *("--workers", workers),
    )
    for _ in range(600):
        if out.exists() and out.stat().st_size > 50_000:
            break
        time.sleep(0.05)
    process.send_signal(kind)
    printed = process.communicate(timeout=60)[0]
    assert "Traceback" not in printed
    assert process.returncode == (-kind if kind == signal.SIGKILL else 1)
    n_written = whole_frames(out, [neighbors(POSITIONS[0])] * n_frames)
    assert 0 < n_written < n_frames
    assert n_written - len(read_dump(bonds)) in ({0} if kind != signal.SIGKILL else {0, 1})
    if kind != signal.SIGKILL:
        assert f"holds the {n_written} frames scored so far" in " ".join(printed.split())
