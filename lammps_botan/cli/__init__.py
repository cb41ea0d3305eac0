"""The command `lammps-botan`: short sub-commands over the modules of this package."""

import sys

import click

from lammps_botan.cli import (
    analysis,
    data_file,
    evaluation,
    models,
    plot,
    simulation,
    train,
    trajectories,
)
from lammps_botan.cli.shared import signals_as_ctrl_c

# by the package that is missing
EXTRAS = {
    "lightning": "train",
    "sklearn": "train",
    "matplotlib": "plot",
    "k3d": "view",
    "torch": "torch",
}


class _Commands(click.Group):
    """Errors about the user's files become one message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (OSError, ValueError) as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            if error.name not in EXTRAS:
                raise
            raise click.ClickException(
                f"{error}: this command needs more packages; type pip install "
                f"'lammps-botan[{EXTRAS[error.name]}]'"
            ) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lammps-botan")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Predict particle mobility in a glass-forming liquid with BOTAN."""
    ctx.with_resource(signals_as_ctrl_c())


@main.command()
def check() -> None:
    """Load the plugin in LAMMPS; print versions, and problems in words."""
    from lammps_botan.cli.installation import check as run

    report = run()
    for name, value in report.versions.items():
        click.echo(f"{name:12} {value}")
    for note in report.notes:
        click.echo(f"note: {note}")
    for problem in report.problems:
        click.echo(f"problem: {problem}", err=True)
    if report.problems:
        sys.exit(1)
    click.echo("fix botan is ready")


for command in (
    models.import_weights,
    train.train,
    models.export,
    evaluation.evaluate,
    models.info,
    models.models,
    data_file.data_file,
    simulation.simulate,
    analysis.targets,
    train.distill,
    train.teach,
    analysis.observables,
    trajectories.score,
    trajectories.movie,
    trajectories.view,
    plot.plot,
):
    main.add_command(command)
