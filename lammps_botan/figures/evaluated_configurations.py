"""Which configurations an evaluation is about, and whether another one is about the same."""

from dataclasses import dataclass
from pathlib import Path

from lammps_botan.evaluation.evaluation_file import Evaluation


@dataclass(frozen=True)
class EvaluatedConfigurations:
    """The configurations that the means of an evaluation are over.

    Attributes
    ----------
    names : list of str
        Of the files.
    sha256 : list of str
        What is in them; empty in evaluations of earlier versions.
    """

    names: list[str]
    sha256: list[str]

    @classmethod
    def of(cls, evaluation: Evaluation) -> "EvaluatedConfigurations":
        """Those that are not left out."""
        used = [k for k, n in enumerate(evaluation.configurations) if n not in evaluation.left_out]
        of_each = evaluation.sha256
        return cls(
            [evaluation.configurations[k] for k in used], [of_each[k] for k in used if of_each]
        )

    def same_as(self, other: "EvaluatedConfigurations") -> bool:
        """Whether they are the same; of files alone, maybe given from different folders, by name.

        Names agree where the parts of the paths do that both have.
        """
        if self.sha256 and other.sha256:
            return sorted(self.sha256) == sorted(other.sha256)
        both = [
            sorted(
                tuple(part for part in reversed(Path(name).parts) if part != "..") for name in some
            )
            for some in (self.names, other.names)
        ]
        return len(self.names) == len(other.names) and all(
            all(x == y for x, y in zip(a, b, strict=False)) for a, b in zip(*both, strict=True)
        )

    def __str__(self) -> str:
        more = f" ... ({len(self.names)} files)" if len(self.names) > 3 else ""
        return ", ".join(self.names[:3]) + more
