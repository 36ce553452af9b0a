"""hilserl-worker export-policy: a policy in a folder of its own, for evaluation elsewhere, LeRobot or the hub."""

from pathlib import Path
from typing import Annotated, Literal

import typer

EXIT_REFUSED = 2


def export_policy(
    to: Annotated[Path, typer.Option(help="New folder to write the policy into.")],
    run: Annotated[
        Path | None, typer.Option(help="Directory of a run, whose newest policy is written.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Checkpoint to write instead, such as runs/pick/checkpoints/step-00012000."),
    ] = None,
    layout: Annotated[
        Literal["hilserl", "lerobot"],
        typer.Option(
            "--format", help="Layout of this project or of LeRobot, which cannot express every setting."
        ),
    ] = "hilserl",
    push_to_hub: Annotated[
        str | None,
        typer.Option(metavar="USER/NAME", help="Upload it to the Hugging Face hub too, as this model."),
    ] = None,
) -> None:
    """Write a policy into a folder of its own. Exit code 2 when that cannot be done."""
    from workers.policy_export.folder import own_files, write_folder
    from workers.policy_export.hub import push
    from workers.policy_export.lerobot_layout import lerobot_files
    from workers.policy_export.source import ExportRefused, from_checkpoint, from_run

    try:
        if run is not None and checkpoint is None:
            policy = from_run(run)
        elif checkpoint is not None and run is None:
            policy = from_checkpoint(checkpoint)
        else:
            raise ExportRefused("give either --run or --checkpoint")
        write_folder(to, own_files(policy) if layout == "hilserl" else lerobot_files(policy))
        typer.echo(f"policy {policy.origin.policy_version} of {policy.origin.run} is in {to}")
        if push_to_hub is not None:
            push(to, push_to_hub)
            typer.echo(f"and on the hub as {push_to_hub}")
    except (ExportRefused, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_REFUSED) from error
