"""A real Slurm of two nodes on this one machine, for as long as tests want it."""

import fcntl
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# Slurm's own place: job steps do not inherit SLURM_CONF.
CONFIGURATION = Path("/etc/slurm/slurm.conf")
OURS = "# Of the tests of ntk-mnist.\n"
PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel"]
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])


def unavailable() -> str:
    """Why Slurm cannot be started here, if it cannot."""
    missing = [program for program in PROGRAMS if not shutil.which(program, path=PATH)]
    if missing:
        return f"Slurm is not installed here: no {', '.join(missing)}"
    if os.geteuid() != 0:
        return "only root can start Slurm"
    if CONFIGURATION.exists() and not CONFIGURATION.read_text().startswith(OURS):
        return f"this machine has a Slurm of its own ({CONFIGURATION})"
    return ""


@contextmanager
def slurm() -> Iterator[None]:
    """Start the daemons, and stop them and remove their traces in the end.

    Waits for another run of these tests to be done with them.
    """
    with open("/run/lock/ntk-mnist-slurm", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield from _daemons()


def _daemons() -> Iterator[None]:
    # Not under /tmp, because munge trusts no key below a folder that others can write to.
    folder = Path(tempfile.mkdtemp(prefix=".ntk-mnist-slurm-", dir="/var/lib"))
    host = socket.gethostname().split(".")[0]
    key, munge_socket = folder / "munge.key", folder / "munge.socket"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    configuration = f"""{OURS}
        ClusterName=ntk-mnist
        SlurmctldHost={host}(127.0.0.1)
        SlurmUser=root
        AuthInfo=socket={munge_socket}
        CredType=cred/munge
        ProctrackType=proctrack/linuxproc
        TaskPlugin=task/affinity
        SelectType=select/cons_tres
        SelectTypeParameters=CR_CPU_Memory
        AccountingStorageType=accounting_storage/none
        JobAcctGatherType=jobacct_gather/linux
        JobAcctGatherFrequency=task=1
        JobAcctGatherParams=OverMemoryKill
        MpiDefault=none
        SchedulerParameters=sched_min_interval=100000,bf_interval=1
        StateSaveLocation={folder}
        SlurmdSpoolDir={folder}/spool.%n
        SlurmctldPidFile={folder}/slurmctld.pid
        SlurmdPidFile={folder}/slurmd.%n.pid
        SlurmctldLogFile={folder}/slurmctld.log
        SlurmdLogFile={folder}/slurmd.%n.log
        GresTypes=gpu
        NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port=17001 CPUs=2 RealMemory=8000 Gres=gpu:1
        NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=17002 CPUs=2 RealMemory=8000 Gres=gpu:1
        PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
        """
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.write_text(re.sub(r"^ +", "", configuration, flags=re.M))
    # Not a card, but all that Slurm asks of one that it hands out.
    gres = CONFIGURATION.with_name("gres.conf")
    gres.write_text(f"{OURS}NodeName=n[1-2] Name=gpu File=/dev/null\n")
    daemons = [
        ["munged", "-F", f"--key-file={key}", f"--socket={munge_socket}", "--force"]
        + [f"--{kind}-file={folder}/munge.{kind}" for kind in ("pid", "log", "seed")],
        ["slurmctld", "-D", "-c"],
        *(["slurmd", "-D", "-N", node] for node in ("n1", "n2")),
    ]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command in daemons:
            program = shutil.which(command[0], path=PATH)
            assert program
            processes.append(
                subprocess.Popen(
                    [program, *command[1:]],
                    env=os.environ | {"PATH": PATH},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            if command[0] == "munged":
                wait_until(munge_socket.exists, "munge is up", 30)
        wait_until(lambda: said("sinfo", "-h", "-o", "%T").split() == ["idle"], "nodes", 60)
        yield
    finally:
        subprocess.run(["scancel", "--full", "--user", "root"], check=False)
        for process in reversed(processes):
            process.terminate()
            process.wait(30)
        CONFIGURATION.unlink()
        gres.unlink()
        shutil.rmtree(folder)


def said(*command: str) -> str:
    """What one of Slurm's commands prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def jobs() -> list[dict[str, str]]:
    """Every job that Slurm still knows, by the fields of ``scontrol show job``."""
    lines = said("scontrol", "--oneliner", "show", "job").splitlines()
    return [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]


def wait_until(what: Callable[[], T | None], name: str, seconds: float) -> T:
    """Wait for ``what`` to be anything, no longer than ``seconds``."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"{name}: not within {seconds} s"
        time.sleep(0.1)
    return found
