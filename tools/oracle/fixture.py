"""Fixtures: safetensors files with tensors `in.*`, `out.*`, `grad_out.*`, `grad.*` and, as metadata, the op, its options and tolerances.

Everything is computed in float64 from float32 inputs. Weights and large inputs are not stored: they are hashes of their names, which
the tests compute again (test/support/fixture.ts).
"""

import json
import struct
from pathlib import Path

import numpy as np
import torch

_DTYPES = {np.dtype("float32"): "F32", np.dtype("int32"): "I32"}


def hash_uniform(name, shape):
    """Numbers in [-1, 1) that depend only on the name: murmur3's finaliser of (fnv1a32(name) xor index)."""
    key = 0x811C9DC5
    for byte in name.encode():
        key = ((key ^ byte) * 0x01000193) & 0xFFFFFFFF
    h = np.arange(int(np.prod(shape)), dtype=np.uint32) ^ np.uint32(key)
    h = (h ^ (h >> 16)) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> 13)) * np.uint32(0xC2B2AE35)
    h = h ^ (h >> 16)
    u = (h >> 8).astype(np.float64) / 2**23 - 1
    return torch.from_numpy(u.astype(np.float32).astype(np.float64)).reshape(shape)


def hash_weights(module, prefix=""):
    """Fills a module's parameters according to their names; see the fixtures' format in test/support/fixture.ts."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            u = hash_uniform(prefix + name, parameter.shape)
            if parameter.dim() >= 2:
                scale, shift = (3 / np.prod(parameter.shape[1:])) ** 0.5, 0
            else:
                scale, shift = 0.25, 1 if name.endswith("weight") else 0
            parameter.copy_((shift + scale * u).float().double())
    return module


def random(seed, *shape, low=-1.0, high=1.0):
    """Uniform numbers that float32 holds exactly, as float64."""
    generator = np.random.default_rng(seed)
    return torch.from_numpy(generator.uniform(low, high, shape).astype(np.float32).astype(np.float64))


def write(folder, name, op, attrs, tensors, rtol=2e-4, atol=5e-5):
    """Writes one fixture; integers become int32, everything else float32."""
    arrays = {}
    for key, value in tensors.items():
        array = np.ascontiguousarray(value.detach().numpy() if torch.is_tensor(value) else np.asarray(value))
        arrays[key] = array.astype(np.int32 if np.issubdtype(array.dtype, np.integer) else np.float32)
    header = {"__metadata__": {"op": op, "attrs": json.dumps(attrs), "rtol": str(rtol), "atol": str(atol)}}
    offset = 0
    for key, array in arrays.items():
        header[key] = {
            "dtype": _DTYPES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path = Path(folder) / f"{name}.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in arrays.values()))
    print(f"{path}  {path.stat().st_size} bytes")
