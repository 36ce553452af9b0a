"""Devices by the names that the configuration has for them."""

import torch


class DeviceMissing(ValueError):
    """The configuration asks for a device that is not here; the message names the key."""


def usable_device(name: str, key: str) -> torch.device:
    """The device called `name`, which the configuration's `key` asks for. Raises DeviceMissing."""
    device = torch.device(name)
    there = _count(device.type)
    if (device.index or 0) < there:
        if device.type == "cuda":
            _tune_cuda()
        return device
    found = f"only {there} of that kind" if there else "none of that kind"
    raise DeviceMissing(
        f'{key} = "{name}", but PyTorch {torch.__version__} finds {found} on this machine. Set it to "cpu", or'
        " check the driver and that PyTorch was installed for this device."
    )


def reckons_in_bfloat16(device: torch.device) -> bool:
    """Whether convolutions in bfloat16 are quicker there than in float32: GPUs, and CPUs with AVX-512 BF16 or AMX."""
    if device.type != "cpu":
        return device.type == "cuda"
    instructions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in instructions)


def _count(kind: str) -> int:
    match kind:
        case "cuda":
            return torch.cuda.device_count()
        case "mps":
            return int(torch.backends.mps.is_available())
        case _:
            return 1


def _tune_cuda() -> None:
    """TF32 for matrix products, as PyTorch has it for convolutions; and the fastest kernels for shapes that stay."""
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
