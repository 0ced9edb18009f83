"""One run at a time in a folder, whatever became of the run before.

Snakemake's own lock outlives a run that was killed, and then asks for --unlock. This one is
the operating system's: it ends with its process.
"""

import fcntl
import shutil

RUN_LOCK = Path(".snakemake/run.lock")
HELD = []


def hold_run():
    """Whether no other run is at work here; if so, this process holds the lock until it ends."""
    RUN_LOCK.parent.mkdir(exist_ok=True)
    file = RUN_LOCK.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    HELD.append(file)
    return True


if workflow.is_main_process and hold_run():
    # Nobody else runs here: what stands of Snakemake's own lock is a killed run's.
    shutil.rmtree(".snakemake/locks", ignore_errors=True)
    # A plan needs no lock; a run takes it when it starts.
    HELD.pop().close()


onstart:
    if not hold_run():
        raise WorkflowError(
            "Another snakemake runs in this folder. Wait for it, or stop it and run again."
        )
