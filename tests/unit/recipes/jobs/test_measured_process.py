import resource
import signal
import subprocess
import sys

import pytest

from qdcomp.recipes.jobs.measured_process import MeasuredProcess, count_cores

TAKE = "import sys; held = b'x' * (int(sys.argv[1]) * 2**20)"


def start(*words):
    return MeasuredProcess([sys.executable, "-c", *words])


def test_the_memory_of_the_process_and_not_of_an_earlier_one_is_told():
    own_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # never counted less
    with start(TAKE, str(int(1024 * own_gib) + 300)) as large:
        assert large.wait() == 0
    with start(TAKE, "60") as small:
        assert small.wait() == 0
    assert 0.29 < large.peak_memory_gib - own_gib < 0.4
    assert 0.06 < small.peak_memory_gib < own_gib + 0.1


def test_it_ends_as_other_processes_do():
    with start("import sys; sys.exit(3)") as process:
        while process.poll() is None:
            pass
        assert process.returncode == 3 and process.wait() == 3
    with start("import time; time.sleep(60)") as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert process.peak_memory_gib > 0.0


@pytest.mark.parametrize(
    ("command", "environment", "cores"),
    [
        ("cp2k.psmp -i cp2k.inp", {"OMP_NUM_THREADS": "4"}, 4),
        ("cp2k.psmp -i cp2k.inp", {}, 1),
        ("cp2k.psmp -n 8", {}, 1),
        ("mpirun -np 8 cp2k.psmp", {"OMP_NUM_THREADS": "2,1"}, 16),
        ("/opt/bin/srun --ntasks=12 vasp_std", {}, 12),
        ("srun vasp_std", {"SLURM_NTASKS": "32", "OMP_NUM_THREADS": "1"}, 32),
        ("mpiexec -n many vasp_std", {}, 1),
    ],
)
def test_cores_are_processes_times_threads(command, environment, cores):
    assert count_cores(command.split(), environment) == cores
