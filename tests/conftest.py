"""Before anything imports PyTorch: threads of its that wait for one another sleep.

As OpenMP has it they spin, each on a core, so that where two processes share two cores every step of a network waits
until both threads happen to run: 54 ms for an action in place of 1.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
