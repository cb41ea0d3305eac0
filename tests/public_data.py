"""Public data of BOTAN and of Bapst et al., beside the project and never copied into it."""

from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "pyg_botan"
PRESENT = FOLDER.is_dir()
needs_public_data = pytest.mark.skipif(not PRESENT, reason=f"no public data in {FOLDER}")

# data and weights of Bapst et al.
GLASSY_DYNAMICS = FOLDER.parent / "glassy_dynamics"
needs_glassy_dynamics = pytest.mark.skipif(
    not GLASSY_DYNAMICS.is_dir(), reason=f"no public data in {GLASSY_DYNAMICS}"
)

# one ensemble of the two-dimensional KA2D_RUNS mixture at eight lag times
KA2D_RUNS = FOLDER.parent / "ka2d"
needs_ka2d = pytest.mark.skipif(not KA2D_RUNS.is_dir(), reason=f"no public data in {KA2D_RUNS}")

CONFIGURATION_401 = FOLDER / "T0.44/test/isoconfig_N4096T0.44_401_tc07.npz"
CONFIGURATION_402 = FOLDER / "T0.44/test/isoconfig_N4096T0.44_402_tc07.npz"


def ka2d(time: int) -> Path:
    """The runs of configuration 151 of KA2D_RUNS at the lag time tcNN: 5, 10 ... 40."""
    return KA2D_RUNS / f"N1290T0.23_151_tc{time:02d}.npz"


def weights(k: int) -> Path:
    """Public weights model1 to model3."""
    return FOLDER / f"initial_model/model{k}.pth"


def reference_graph() -> dict[str, np.ndarray]:
    """Graph, targets and masks of configuration 401 by the public implementation, in our order."""
    with np.load(FOLDER / "reference/graph_401.npz") as archive:
        arrays = dict(archive)
    order = _order(arrays["edge_index"])
    for name in ("edge_attr", "pair_distance_change", "mask_edge"):
        arrays[name] = arrays[name][order]
    arrays["neighbor"], arrays["center"] = arrays.pop("edge_index")[:, order]
    return arrays


def reference_outputs(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Node and edge outputs of the public implementation for configuration 401, in our order."""
    with np.load(FOLDER / "reference/graph_401.npz") as archive:
        order = _order(archive["edge_index"])
    with np.load(FOLDER / f"reference/outputs_401_model{k}.npz") as archive:
        return archive["node_output"], archive["edge_output"][order]


def _order(edge_index: np.ndarray) -> np.ndarray:
    # theirs is (sender, receiver); ours is grouped by receiver, then by sender
    return np.lexsort((edge_index[0], edge_index[1]))
