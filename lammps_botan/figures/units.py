"""Units behind a quantity in the labels of pictures."""

import html
import re

from lammps_botan.structure.mixture import Mixture

# by LAMMPS's names of the unit systems
LENGTHS = {
    "lj": r"\sigma",
    "real": r"\mathrm{Å}",
    "metal": r"\mathrm{Å}",
    "si": r"\mathrm{m}",
    "cgs": r"\mathrm{cm}",
    "electron": r"a_0",
    "micro": r"\mathrm{μm}",
    "nano": r"\mathrm{nm}",
}
TIMES = {
    "lj": r"\tau",
    "real": r"\mathrm{fs}",
    "metal": r"\mathrm{ps}",
    "si": r"\mathrm{s}",
    "cgs": r"\mathrm{s}",
    "electron": r"\mathrm{fs}",
    "micro": r"\mathrm{μs}",
    "nano": r"\mathrm{ns}",
}


def over_length(mixture: Mixture | None) -> str:
    r"""Give the unit of length in the mathematics of a label, as in `$x/\sigma_{AA}$`.

    In reduced units this is sigma, with the species whose diameter it is. For an unknown mixture it
    is empty.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> print(over_length(KOB_ANDERSEN))
    /\sigma_{AA}
    """
    if mixture is None:
        return ""
    if mixture.units == "lj" and mixture.diameter == 1.0:
        species = mixture.reference_species
        return rf"/\sigma_{{{species}{species}}}"
    return f"/{LENGTHS[mixture.units]}"


def over_time(units: str) -> str:
    r"""Give the unit of time in the mathematics of a label, as in `$t/\tau$`."""
    return f"/{TIMES[units]}"


def as_html(label: str) -> str:
    r"""Turn a label of matplotlib into HTML.

    Examples
    --------
    >>> as_html(r"predicted propensity $/\sigma_{AA}$")
    'predicted propensity /&sigma;<sub>AA</sub>'
    >>> as_html(r"c_q[1] < $\mathrm{Å}$")
    'c_q[1] &lt; Å'
    """
    texts = html.escape(label).split("$")
    for k in range(1, len(texts), 2):  # the mathematics
        plain = re.sub(r"\\mathrm\{(\w+)\}", r"\1", texts[k]).replace(r"\sigma", "&sigma;")
        texts[k] = re.sub(r"_\{?(\w+)\}?", r"<sub>\1</sub>", plain)
    return "".join(texts)
