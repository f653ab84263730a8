#!/bin/bash -l
#BSUB -n $${ntasks}
#BSUB -R "span[ptile=$${ptile}] affinity[core($${cpus_per_task})]"
#BSUB -R "rusage[mem=$${mem}]"
#BSUB -W $${walltime}
#BSUB -q $${queue}
#BSUB -P $${account}
#BSUB -J $${job_name}
#BSUB -o batch-%J.out

export QDCOMP_DEADLINE=$(( $(date +%s) + $${walltime_s} ))
export OMP_NUM_THREADS=$${omp_num_threads}
$${pre_rocket}
$${rocket_launch}
$${post_rocket}
