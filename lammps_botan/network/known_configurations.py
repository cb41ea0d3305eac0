"""The configurations that a network knows, by their content.

How well a network predicts is measured on configurations that it does not know. Their names may
change, so that they are told by the SHA-256 of their positions.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

Role = Literal["validation", "distillation", "training"]
ROLES = get_args(Role)  # of more roles than one of a configuration the last counts
# after the name of the file, where the configuration is no start
END_OF_A_RUN = ", end of a run"
PSEUDO_LABELS = ", pseudo-labels"


class KnownConfiguration(BaseModel):
    """A configuration that a network has learned from, directly or not.

    Attributes
    ----------
    sha256 : str
        SHA-256 of its positions (`structure.configuration.Configuration.sha256`).
    role : str
        "training"; "validation" where it chose the epoch; "distillation" where pseudo-labels that
        the network learned from were distilled from it.
    name : str
        Name of its file.

    Examples
    --------
    >>> KnownConfiguration(sha256="ab", role="training", name="c1.npz").role
    'training'
    """

    model_config = ConfigDict(frozen=True)

    sha256: str
    role: Role
    name: str


def known_in(provenance: Mapping[str, Any]) -> list[KnownConfiguration]:
    """Read the configurations that the provenance of one network records.

    Parameters
    ----------
    provenance : dict

    Returns
    -------
    list of KnownConfiguration

    Examples
    --------
    >>> one = {"sha256": "ab", "role": "training", "name": "c1.npz"}
    >>> [known.name for known in known_in({"configurations": [one]})]
    ['c1.npz']
    """
    return [KnownConfiguration.model_validate(one) for one in provenance.get("configurations", [])]


def merge_known(known: Iterable[KnownConfiguration]) -> list[KnownConfiguration]:
    """Give each configuration once, with the last of its roles in the order of `ROLES`.

    Parameters
    ----------
    known : iterable of KnownConfiguration

    Returns
    -------
    list of KnownConfiguration

    Examples
    --------
    >>> roles = ("training", "validation")
    >>> both = [KnownConfiguration(sha256="ab", role=role, name="c1.npz") for role in roles]
    >>> [known.role for known in merge_known(both)]
    ['training']
    """
    ordered = sorted(known, key=lambda one: ROLES.index(one.role))
    return list({one.sha256: one for one in ordered}.values())


def count_learned(known: Iterable[KnownConfiguration]) -> int | None:
    """Count the configurations that a network has learned from.

    The ends of runs, and configurations with pseudo-labels alone, are further structures of the
    configurations that the runs start from, and do not count. If pseudo-labels alone trained the
    network, the configurations count that these were distilled from.

    Parameters
    ----------
    known : iterable of KnownConfiguration

    Returns
    -------
    int or None
        None where nothing is recorded.

    Examples
    --------
    >>> count_learned([KnownConfiguration(sha256="ab", role="training", name="c1.npz")])
    1
    """
    starts = [one for one in known if not one.name.endswith((END_OF_A_RUN, PSEUDO_LABELS))]
    count = {role: len({one.sha256 for one in starts if one.role == role}) for role in ROLES}
    return count["training"] or count["distillation"] or None
