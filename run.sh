#!/bin/bash
cd /tmp/s4r && PYTHONPATH=/tmp/s4r/src:/tmp/s4/lib nice -n 10 /work/main/.venv/bin/python "$@"
