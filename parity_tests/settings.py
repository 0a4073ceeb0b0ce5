"""How the tests set up frameworks: imported before any of them, inherited by every process that a test starts."""

from __future__ import annotations

import os

# Two workers share two cores: threads of their own would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.pop("COLUMNS", None)  # pytest-xdist sets it; rich would keep that width for good

# JAX compiles each case for one run: what its compiler saves there it loses many times over. A jaxlib that does not
# know one of these flags says so, and stops: set XLA_FLAGS to others.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1 --xla_cpu_multi_thread_eigen=false",
)
