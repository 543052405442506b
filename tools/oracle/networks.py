"""The encoders in plain PyTorch, with the names that their weights have elsewhere: torchvision's, the official DGCNN's."""

import torch
from torch import nn
from torch.nn import functional as F


class Basic(nn.Module):
    expansion = 1

    def __init__(self, channels, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = projection(channels, width, stride)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, channels, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = projection(channels, 4 * width, stride)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def projection(channels, width, stride):
    if stride == 1 and channels == width:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))


DEPTHS = {
    "small": (Basic, [1, 1, 1, 1]),
    18: (Basic, [2, 2, 2, 2]),
    34: (Basic, [3, 4, 6, 3]),
    50: (Bottleneck, [3, 4, 6, 3]),
    101: (Bottleneck, [3, 4, 23, 3]),
}


class ResNet(nn.Module):
    """x [B, 3, H, W] -> embedding [B, d] through RoMo's head: fc, batch norm, ReLU. `small` has a 3x3 stem and no pooling."""

    def __init__(self, depth, out_dim, in_channels=3, width=64):
        super().__init__()
        block, blocks = DEPTHS[depth]
        self.pools = depth != "small"
        size = 7 if self.pools else 3
        self.conv1 = nn.Conv2d(in_channels, width, size, 2, size // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for stage, count in enumerate(blocks):
            layers = []
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                layers.append(block(channels, width * 2**stage, stride))
                channels = width * 2**stage * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(channels, out_dim)
        self.bn_fc = nn.BatchNorm1d(out_dim)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if self.pools:
            x = F.max_pool2d(x, 3, 2, 1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return F.relu(self.bn_fc(self.fc(x.mean((2, 3)))))


def neighbours(x, k):
    """x [B, C, N] -> indices [B, N, k] of the nearest points, the point itself included, of equal ones the lower index first."""
    # Not by torch.cdist, whose products and roots leave float32 too few digits to tell near neighbours apart.
    distances = sum((x[:, c, :, None] - x[:, c, None, :]) ** 2 for c in range(x.shape[1]))
    return distances.sort(dim=-1, stable=True)[1][:, :, :k]


class Dgcnn(nn.Module):
    """x [B, 3, N] -> embedding [B, d]."""

    def __init__(self, out_dim, k, widths=(64, 64, 128, 256)):
        super().__init__()
        self.k = k
        self.count = len(widths)
        channels = 3
        for index, width in enumerate(widths):
            conv = nn.Conv2d(2 * channels, width, 1, bias=False)
            setattr(self, f"conv{index + 1}", nn.Sequential(conv, nn.BatchNorm2d(width)))
            channels = width
        last = nn.Sequential(nn.Conv1d(sum(widths), out_dim, 1, bias=False), nn.BatchNorm1d(out_dim))
        setattr(self, f"conv{self.count + 1}", last)
        self.linear1 = nn.Linear(2 * out_dim, out_dim, bias=False)
        self.bn1 = nn.BatchNorm1d(out_dim)

    def forward(self, x):
        features = []
        for index in range(self.count):
            b, c, n = x.shape
            idx = neighbours(x.detach(), self.k)  # [B, N, k]
            near = torch.gather(x.unsqueeze(2).expand(b, c, n, n), 3, idx.unsqueeze(1).expand(b, c, n, self.k))
            centre = x.unsqueeze(3).expand(b, c, n, self.k)
            edges = torch.cat((near - centre, centre), 1)
            x = F.leaky_relu(getattr(self, f"conv{index + 1}")(edges), 0.2).max(-1)[0]
            features.append(x)
        x = F.leaky_relu(getattr(self, f"conv{self.count + 1}")(torch.cat(features, 1)), 0.2)
        x = torch.cat((x.max(-1)[0], x.mean(-1)), 1)
        return F.leaky_relu(self.bn1(self.linear1(x)), 0.01)


class PointNet(nn.Module):
    """x [B, 3, N] -> embedding [B, d]; a perceptron per point, the maximum over the points."""

    def __init__(self, out_dim, widths=(64, 64, 64, 128)):
        super().__init__()
        self.count = len(widths) + 1
        channels = 3
        for index, width in enumerate([*widths, out_dim]):
            setattr(self, f"conv{index + 1}", nn.Linear(channels, width, bias=False))
            setattr(self, f"bn{index + 1}", nn.BatchNorm1d(width))
            channels = width
        self.linear1 = nn.Linear(channels, out_dim, bias=False)
        setattr(self, f"bn{self.count + 1}", nn.BatchNorm1d(out_dim))

    def forward(self, x):
        b, _, n = x.shape
        y = x.transpose(1, 2).reshape(b * n, 3)
        for index in range(self.count):
            y = F.relu(getattr(self, f"bn{index + 1}")(getattr(self, f"conv{index + 1}")(y)))
        y = y.reshape(b, n, -1).max(1)[0]
        return F.leaky_relu(getattr(self, f"bn{self.count + 1}")(self.linear1(y)), 0.01)
