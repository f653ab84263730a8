#!/bin/bash -l
#PBS -l select=$${select}
#PBS -l walltime=$${walltime}
#PBS -q $${queue}
#PBS -A $${account}
#PBS -N $${job_name}
#PBS -j oe

export QDCOMP_DEADLINE=$(( $(date +%s) + $${walltime_s} ))
export OMP_NUM_THREADS=$${omp_num_threads}
cd "$PBS_O_WORKDIR"
$${pre_rocket}
$${rocket_launch}
$${post_rocket}
