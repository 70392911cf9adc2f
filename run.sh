#!/bin/bash
cd /tmp/s4r && PYTHONPATH=/tmp/s4r/src:/tmp/s4/lib /work/main/.venv/bin/python "$@"
