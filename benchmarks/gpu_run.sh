#!/usr/bin/env bash
# Everything that one call on a machine with a GPU should do, in under ten minutes: check, measure, train.
#
#     benchmarks/gpu_run.sh OUT_FOLDER [FOLDER_TO_RESUME_FROM]
#
# OUT_FOLDER gets log.txt, figures.json, profile.txt and the runs as runs.tar.gz.00, .01, … of at most 15 MiB each. The
# second call is given a folder with these, goes on with the runs in it and leaves checks and measurements out (unless
# STEPS says otherwise). What fails is written down, and the next step follows. Settings are environment variables:
#     DEVICE=cuda        cpu for trying the script out
#     LIMIT=540          seconds until everything is packed
#     STEPS=…            any of: prepare probe kernels tests profile rollout training paths train
#     TIMESTEPS=25000000 of each run
#     RUNS="sppo:coinrun:2021 sppo:fruitbot:2021 …"
#     TRAIN_ARGUMENTS    more arguments of `semantic-rl train`
set -u
cd "$(dirname "$0")/.."
export PYTHONUNBUFFERED=1 OMP_WAIT_POLICY=passive PYTHONPATH="$PWD/src${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python3}" benchmarks/gpu_run.py "$@"
