"""The structural relaxation time tau_alpha from the self-intermediate scattering function.

It comes from a fit of ::

    F(t) = (1 - f) exp[-(t / tau_s)^beta_s] + f exp[-(t / tau_alpha)^beta]

The first term is a fast decay to the plateau f, from the rattling in the cage; the second is the
slow decay by escape from the cage (Shiba et al., J. Chem. Phys. 158, 084503 (2023),
doi:10.1063/5.0129791, sec. III).
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, curve_fit

from lammps_botan.structure.box import Floats

LEVEL = float(np.exp(-1))
# log(tau_alpha / time at which the points cross 1/e), beta, f, log(tau_alpha / tau_s), beta_s
LOWER = (-np.log(1e6), 0.2, 0.05, np.log(2.0), 0.5)
UPPER = (np.log(1e6), 1.0, 1.0, np.log(1e8), 2.0)
N_PARAMETERS = len(LOWER)
# where the fit starts: the best of these wins
PLATEAUS = (0.7, 0.9)
RATIOS = (10.0, 300.0, 1e4)


@dataclass(frozen=True)
class RelaxationTime:
    """tau_alpha and the curve that was fitted.

    Attributes
    ----------
    tau_alpha, error : float
        Slow relaxation time and its standard error, time unit.
    beta : float
        Stretching exponent of the slow decay.
    plateau : float
        f, the share of the slow decay.
    tau_short, beta_short : float
        tau_s, time unit, and beta_s of the fast decay.

    Examples
    --------
    >>> fit = RelaxationTime(
    ...     tau_alpha=100.0, error=1.0, beta=0.8, plateau=0.9, tau_short=0.2, beta_short=1.0
    ... )
    >>> fit.curve([0.0, 1e6]), round(fit.one_over_e, 1)
    (array([1., 0.]), 87.0)
    """

    tau_alpha: float
    error: float
    beta: float
    plateau: float
    tau_short: float
    beta_short: float

    @property
    def one_over_e(self) -> float:
        """Time at which the fitted curve is 1/e, time unit."""
        # both decays are above 1/e before the shorter time and below it after the longer
        bracket = np.log(self.tau_short), np.log(1.01 * self.tau_alpha)
        return float(np.exp(brentq(lambda x: self.curve(np.exp(x)) - LEVEL, *bracket)))

    def curve(self, times: npt.ArrayLike) -> Floats:
        """Compute F(t) of the fit.

        Parameters
        ----------
        times : float array
            Time unit.

        Returns
        -------
        float64 array
            In the shape of `times`.
        """
        t = np.asarray(times, dtype=np.float64)
        fast = np.exp(-((t / self.tau_short) ** self.beta_short))
        slow = np.exp(-((t / self.tau_alpha) ** self.beta))
        return np.asarray((1 - self.plateau) * fast + self.plateau * slow)


def fit_relaxation_time(
    times: npt.ArrayLike, scattering: npt.ArrayLike, errors: npt.ArrayLike | None = None
) -> RelaxationTime:
    """Fit a double stretched exponential to F_s(k, t).

    The curve is F(t) = (1 - f) exp[-(t / tau_s)^beta_s] + f exp[-(t / tau_alpha)^beta], see
    doi:10.1063/5.0129791, sec. III. The error of tau_alpha comes from the covariance of the fit
    (linear in log tau_alpha). With `errors` it is absolute. Without `errors` all points count alike
    and the scatter about the curve sets the scale, which says little with fewer than about ten
    points. Both take the points as independent; points of the same runs are not: compare fits to
    several configurations.

    Parameters
    ----------
    times : float [n_times]
        Increasing, at least six, time unit.
    scattering : float [n_times]
        F_s(k, t), from above 1/e to below.
    errors : float [n_times], optional
        Standard errors of `scattering`.

    Returns
    -------
    RelaxationTime

    Raises
    ------
    ValueError
        If the arrays do not fit together, are not finite, are too few, or do not cross 1/e.

    Examples
    --------
    >>> times = np.logspace(-1, 4, 30)
    >>> scattering = 0.1 * np.exp(-times / 0.2) + 0.9 * np.exp(-((times / 100) ** 0.8))
    >>> fit = fit_relaxation_time(times, scattering)
    >>> round(fit.tau_alpha, 3), round(fit.beta, 3)
    (100.0, 0.8)
    """
    t, f, sigma = _checked(times, scattering, errors)
    crossing = _crossing(t, f)
    best, covariance = _best_fit(t / crossing, f, sigma)
    fitted = _relaxation(*best)
    return RelaxationTime(
        tau_alpha=crossing * fitted.tau_alpha,
        error=crossing * fitted.tau_alpha * float(np.sqrt(covariance[0, 0])),
        beta=fitted.beta,
        plateau=fitted.plateau,
        tau_short=crossing * fitted.tau_short,
        beta_short=fitted.beta_short,
    )


def _relaxation(
    log_tau: float, beta: float, plateau: float, log_ratio: float, beta_short: float
) -> RelaxationTime:
    tau, tau_short = float(np.exp(log_tau)), float(np.exp(log_tau - log_ratio))
    return RelaxationTime(tau, 0.0, float(beta), float(plateau), tau_short, float(beta_short))


def _best_fit(t: Floats, f: Floats, sigma: Floats | None) -> tuple[Floats, Floats]:
    """Parameters and covariance with the smallest squared deviation over all starts."""
    fits, reasons = [], []
    for plateau, ratio in itertools.product(PLATEAUS, RATIOS):
        start = (0.0, 0.7, plateau, np.log(ratio), 1.2)
        try:
            values, covariance = curve_fit(
                _model,
                t,
                f,
                start,
                sigma,
                absolute_sigma=sigma is not None,
                bounds=(LOWER, UPPER),
                method="dogbox",  # trf crawls along the bounds: hundreds of steps
            )
        except RuntimeError as error:
            reasons.append(str(error))
            continue
        deviation = (_model(t, *values) - f) / (1.0 if sigma is None else sigma)
        fits.append((float(deviation @ deviation), values, covariance))
    if not fits:
        raise ValueError(
            f"no double stretched exponential fits these points ({reasons[0]}): add lag times"
        )
    _, values, covariance = min(fits, key=lambda fit: fit[0])
    return values, covariance


def _model(t: Floats, *parameters: float) -> Floats:
    return _relaxation(*parameters).curve(t)


def _crossing(t: Floats, f: Floats) -> float:
    """The time at which the points first cross 1/e."""
    below = int(np.flatnonzero(f < LEVEL)[0])
    (before, after), (high, low) = t[below - 1 : below + 1], f[below - 1 : below + 1]
    return float(before + (after - before) * (high - LEVEL) / (high - low))


def _checked(
    times: npt.ArrayLike, scattering: npt.ArrayLike, errors: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats | None]:
    t, f = np.asarray(times, dtype=np.float64), np.asarray(scattering, dtype=np.float64)
    sigma = None if errors is None else np.asarray(errors, dtype=np.float64)
    given = {"times": t, "scattering": f} | ({} if sigma is None else {"errors": sigma})
    for name, array in given.items():
        if array.ndim != 1 or array.shape != t.shape:
            shapes = ", ".join(f"{n} {list(a.shape)}" for n, a in given.items())
            raise ValueError(f"expected arrays of one length [n_times], found {shapes}")
        if not np.isfinite(array).all():
            first = int(np.flatnonzero(~np.isfinite(array))[0])
            raise ValueError(f"{name} must be finite, found {array[first]} at index {first}")
    if len(t) <= N_PARAMETERS:
        raise ValueError(
            f"a fit of {N_PARAMETERS} parameters needs at least {N_PARAMETERS + 1} times, "
            f"found {len(t)}: add lag times"
        )
    if t[0] < 0 or not (np.diff(t) > 0).all():
        raise ValueError(f"times must increase from 0 or later, found {t.tolist()}")
    if sigma is not None and not (sigma > 0).all():
        raise ValueError(f"errors must be positive, found {sigma.min()}")
    if not f[-1] < LEVEL:
        raise ValueError(
            f"tau_alpha lies after these times: the scattering function is still {f[-1]:.3g} at "
            f"the last one, {t[-1]:g}, not below 1/e = {LEVEL:.3f}: run longer"
        )
    if not f[0] > LEVEL:
        raise ValueError(
            f"tau_alpha lies before these times: the scattering function is already {f[0]:.3g} at "
            f"the first one, {t[0]:g}, not above 1/e = {LEVEL:.3f}: add shorter lag times"
        )
    return t, f, sigma
