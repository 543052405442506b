"""Loads a run's encoders into PyTorch: a ResNet with torchvision's names, and a plain DGCNN or PointNet.

    from load_in_pytorch import load                       # with tools/ on the path
    encoders = load("runs/latest/model.safetensors")       # in evaluation mode
    encoders.image(images)                                 # [B, C, H, W], values 0..1 -> unit rows [B, d]
    encoders.cloud(clouds)                                 # [B, N, 3] -> unit rows [B, d]

    python3 tools/load_in_pytorch.py runs/latest --images images.npy --clouds clouds.npy --out embeddings.npz

Needs PyTorch 1.13 or newer and NumPy (on Debian: apt-get install python3-torch). docs/export.md says how objects are prepared.
"""

import argparse
import json
import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from oracle.networks import Dgcnn, PointNet, ResNet
from torch import nn
from torch.nn import functional as F


def read_safetensors(path):
    """Tensors by name, and the metadata."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            continue  # no encoder has others
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors, metadata


class Embedding(nn.Module):
    """An encoder whose outputs are brought to length 1. Images may be normalised as ImageNet's are."""

    def __init__(self, encoder, prepare, pull):
        super().__init__()
        self.encoder = encoder
        self.prepare = prepare
        self.pull = pull

    def forward(self, x):
        return self.pull(F.normalize(self.encoder(self.prepare(x)), dim=1, eps=1e-12))


def towards(centres, pull, temperature):
    """Draws unit rows [B, d] to the centres [C, d] of the clusters, as src/romo/encoders.ts does."""

    def pulled(rows):
        shares = F.softmax(rows @ centres.T / temperature, dim=1)
        return F.normalize(rows + pull * shares @ centres, dim=1, eps=1e-12)

    return pulled


def imagenet(x):
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
    return (x - mean) / deviation


def fill(network, state, what):
    """Loads all weights. Counters of batches are not stored, and not needed."""
    missing, unexpected = network.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{what}: missing {missing}, unexpected {unexpected}")
    return network


def load(path):
    """The encoders of a run's folder or model.safetensors, with its configuration: `.image`, `.cloud`, `.config`, `.stage`."""
    path = Path(path)
    path = path / "model.safetensors" if path.is_dir() else path
    tensors, metadata = read_safetensors(path)
    if "config" not in metadata:
        raise ValueError(f"{path} has no configuration: choose the model.safetensors of a finished run")
    config = json.loads(metadata["config"])
    stage = "rdl" if any(name.startswith("rdl.") for name in tensors) else "ssm"
    size, k = config[stage]["dimension"], config[stage]["k"]

    def part(name):
        start = f"{stage}.encoders.{name}."
        return {key[len(start) :]: value for key, value in tensors.items() if key.startswith(start)}

    images, clouds = part("image"), part("points")
    resnet = ResNet(config["resnet"], size, images["conv1.weight"].shape[1], config["resnetWidth"])
    widths = config["pointWidths"]
    network = Dgcnn(size, k, widths) if config["pointEncoder"] == "dgcnn" else PointNet(size, widths)
    pull = config[stage].get("pull")
    temperature = config[stage].get("headTemperature", config["headTemperature"])
    finish = towards(part("centres")["weight"], pull, temperature) if pull else lambda rows: rows
    prepare = imagenet if config.get("imageNormalization") == "imagenet" else lambda x: x
    return SimpleNamespace(
        image=Embedding(fill(resnet, images, "image encoder"), prepare, finish).eval(),
        cloud=Embedding(fill(network, clouds, "cloud encoder"), lambda x: x.transpose(1, 2), finish).eval(),
        config=config,
        stage=stage,
    )


def main():
    parser = argparse.ArgumentParser(description="Embeds arrays with a run's encoders, in PyTorch.")
    parser.add_argument("run", help="folder of a finished run, or its model.safetensors")
    parser.add_argument("--images", help="npy file, [B, C, H, W], values 0..1")
    parser.add_argument("--clouds", help="npy file, [B, N, 3]")
    parser.add_argument("--out", required=True, help="npz file to write: images [B, d], clouds [B, d]")
    options = parser.parse_args()
    encoders = load(options.run)
    found = {}
    with torch.no_grad():
        if options.images:
            found["images"] = encoders.image(torch.from_numpy(np.load(options.images)).float()).numpy()
        if options.clouds:
            found["clouds"] = encoders.cloud(torch.from_numpy(np.load(options.clouds)).float()).numpy()
    np.savez(options.out, **found)
    print(f"{encoders.stage}: " + ", ".join(f"{name} {list(rows.shape)}" for name, rows in found.items()))


if __name__ == "__main__":
    main()
