#!/bin/bash -l
#SBATCH --nodes=$${nodes}
#SBATCH --ntasks-per-node=$${ntasks_per_node}
#SBATCH --cpus-per-task=$${cpus_per_task}
#SBATCH --mem=$${mem}
#SBATCH --time=$${walltime}
#SBATCH --partition=$${queue}
#SBATCH --account=$${account}
#SBATCH --job-name=$${job_name}
#SBATCH --output=batch-%j.out

export QDCOMP_DEADLINE=$(( $(date +%s) + $${walltime_s} ))
export OMP_NUM_THREADS=$${omp_num_threads}
$${pre_rocket}
$${rocket_launch}
$${post_rocket}
