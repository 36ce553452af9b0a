"""What an update cannot do without: arithmetic, and bytes that have to move; and how fast this machine does both."""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

_PRODUCTS = {
    getattr(torch.ops.aten, name)
    for name in ("mm", "addmm", "bmm", "baddbmm", "convolution", "convolution_backward")
}
_ADAM_PASSES = 7
"""Parameter and both moments read and written, the gradient read."""


class _BytesOfProducts(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sums up what every matrix product and convolution reads and writes. All else could be fused into those."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in _PRODUCTS:
            results = result if isinstance(result, tuple) else (result,)
            self.total += sum(one.nbytes for one in (*args, *results) if isinstance(one, torch.Tensor))
        return result


def gflop_and_mb(work: Callable[[], object], drawn_bytes: int, learned: int) -> tuple[float, float]:
    """Of one call: its products' arithmetic; their bytes, the batch's, and the optimisers' of `learned` parameters."""
    with FlopCounterMode(display=False) as flops:
        work()
    with _BytesOfProducts() as moved:
        work()
    return flops.get_total_flops() / 1e9, (moved.total + 2 * drawn_bytes + _ADAM_PASSES * 4 * learned) / 1e6


def machine_rates() -> tuple[float, float]:
    """GFLOP/s of a large matrix product, and GB/s of a large copy (read and written), each the best of several."""
    square = torch.randn(1536, 1536)
    large, out = torch.ones(32 * 2**20), torch.empty(32 * 2**20)
    product_s = _best_s(lambda: torch.mm(square, square))
    copy_s = _best_s(lambda: out.copy_(large))
    return 2 * 1536**3 / product_s / 1e9, 2 * large.nbytes / copy_s / 1e9


def _best_s(work: Callable[[], object]) -> float:
    times = []
    for _ in range(8):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
