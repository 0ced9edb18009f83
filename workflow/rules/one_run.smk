"""One run at a time in a folder, whatever happened to the run before.

Snakemake's own lock stays when a run is killed, and then asks for --unlock. This lock is the
operating system's, which releases it when its process ends.
"""

import fcntl
import shutil

RUN_LOCK = Path(".snakemake/run.lock")
HELD = []


def hold_run():
    """Whether no other run is active here; if so, this process holds the lock until it ends."""
    RUN_LOCK.parent.mkdir(exist_ok=True)
    try:
        file = RUN_LOCK.open("a+")
    except PermissionError:
        # Another user's, or a folder that can only be read: a plan needs no lock.
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    HELD.append(file)
    return True


if workflow.is_main_process and hold_run():
    # No other run is active: a lock of Snakemake's that is left belongs to a killed run.
    shutil.rmtree(".snakemake/locks", ignore_errors=True)
    # A plan needs no lock; a run takes it when it starts.
    HELD.pop().close()


def refuse_a_second_run():
    """Hold the run until this process ends.

    Raises:
        WorkflowError: another holds it.
    """
    if not hold_run():
        raise WorkflowError(
            "Another snakemake is running in this folder. Wait for it, or stop it and run again."
        )
