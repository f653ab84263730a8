"""Profiles of clusters as users write them."""

import pytest

from qdcomp.recipes.clusters.profile_sections import read_profile

PROFILE = """
batch_system: {batch_system}
mode: {mode}
launchpad: mongodb://launchpad.example.org:27017/qdcomp
resources: {{partition: normal, account: perovskites, nodes: 2, cores: 16, threads: 4,
            memory: 64 GiB, walltime: 90 min}}
stages:
  dynamics: {{nodes: 4, walltime: 1.5 d, partition: long}}
  own: {{cores: 2, threads: 2, memory: 2 GiB}}
modules: [cp2k/2023.1, Python/3.11]
setup: ["source $HOME/venv/bin/activate"]
launch: {{cp2k: srun cp2k.psmp, vasp: srun vasp_std, vasp_gamma: srun vasp_gam}}
data: {{cp2k: /opt/cp2k data, vasp: /home/me/potcars}}
scratch: /scratch/it's mine
limits: {{queued: 7, workers: 3}}
"""


@pytest.fixture
def write_profile(tmp_path):
    """Write a profile; further lines replace those of the same keys."""

    def write(text=None, *, batch_system="slurm", mode="reservation"):
        path = tmp_path / "mycluster.yaml"
        path.write_text(text or PROFILE.format(batch_system=batch_system, mode=mode))
        return path

    return write


@pytest.fixture
def make_profile(write_profile):
    """Make the profile of a cluster with that batch system."""

    def make(**choices):
        return read_profile(write_profile(**choices))

    return make
