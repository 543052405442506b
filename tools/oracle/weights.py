"""Weights under the names of other projects, with what PyTorch makes of them in evaluation: for the tests of `convert`."""

import torch
from fixture import hash_uniform, random, write
from networks import ResNet, neighbours
from torch import nn
from torch.nn import functional as F


class OfficialDgcnn(nn.Module):
    """The names of the official model: each batch norm is registered twice, as bnN and inside convN."""

    def __init__(self, k, widths, embedding):
        super().__init__()
        self.k = k
        channels = 3
        for index, width in enumerate(widths, 1):
            norm = nn.BatchNorm2d(width)
            setattr(self, f"bn{index}", norm)
            conv = nn.Conv2d(2 * channels, width, 1, bias=False)
            setattr(self, f"conv{index}", nn.Sequential(conv, norm, nn.LeakyReLU(0.2)))
            channels = width
        self.bn5 = nn.BatchNorm1d(embedding)
        last = nn.Conv1d(sum(widths), embedding, 1, bias=False)
        self.conv5 = nn.Sequential(last, self.bn5, nn.LeakyReLU(0.2))
        self.linear1 = nn.Linear(2 * embedding, 24, bias=False)
        self.bn6 = nn.BatchNorm1d(24)
        self.linear2 = nn.Linear(24, 10)

    def pooled(self, x):
        """The largest of each channel over the points, before the classifier."""
        features = []
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            b, c, n = x.shape
            idx = neighbours(x, self.k).unsqueeze(1).expand(b, c, n, self.k)
            near = torch.gather(x.unsqueeze(2).expand(b, c, n, n), 3, idx)
            centre = x.unsqueeze(3).expand(b, c, n, self.k)
            x = layer(torch.cat((near - centre, centre), 1)).max(-1)[0]
            features.append(x)
        return self.conv5(torch.cat(features, 1)).max(-1)[0]


def pooled_resnet(network, x):
    x = F.max_pool2d(F.relu(network.bn1(network.conv1(x))), 3, 2, 1)
    for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
        x = stage(x)
    return x.mean((2, 3))


def drawn(network):
    """Random weights and running statistics, and evaluation mode."""
    for number, (name, tensor) in enumerate(network.state_dict().items()):
        if name.endswith("num_batches_tracked"):
            continue
        low, high = (0.5, 1.5) if name.endswith("running_var") or (tensor.dim() == 1 and "weight" in name) else (-0.3, 0.3)
        scale = 1 if tensor.dim() < 2 else 5 / tensor[0].numel() ** 0.5
        tensor.copy_((scale * random(100 + number, *tensor.shape, low=low, high=high)).float().double())
    return network.double().eval()


def make(folder):
    with torch.no_grad():
        for depth in (18, 50):
            network = drawn(ResNet(depth, 10, width=4 if depth == 18 else 2))
            weights = {name: value for name, value in network.state_dict().items() if not name.startswith("bn_fc")}
            pooled = pooled_resnet(network, hash_uniform("in.x", (2, 3, 40, 48)))
            attrs = {"network": "resnet", "depth": depth, "inputs": {"in.x": [2, 3, 40, 48]}}
            save(folder, f"convert_resnet{depth}", weights, pooled, attrs)
        network = drawn(OfficialDgcnn(6, (8, 8, 12, 16), 20))
        pooled = network.pooled(hash_uniform("in.x", (2, 3, 50)))
        attrs = {"network": "dgcnn", "k": 6, "inputs": {"in.x": [2, 3, 50]}}
        weights = network.state_dict()
        save(folder, "convert_dgcnn", weights, pooled, attrs)
        save(folder, "convert_dgcnn_module", {f"module.{name}": value for name, value in weights.items()}, pooled, attrs)
        # Savers that refuse shared tensors keep the first name of each.
        once = {name: value for name, value in weights.items() if ".1." not in name}
        save(folder, "convert_dgcnn_once", once, pooled, attrs)


def save(folder, name, weights, pooled, attrs):
    tensors = {f"weights.{key}": value for key, value in weights.items()}
    write(folder, name, "convert", attrs, tensors | {"out.pooled": pooled}, 1e-3, 1e-4)
