"""Fixtures of single ops."""

import torch
from fixture import random, write
from torch.nn import functional as F


def differentiated(f, inputs, seed):
    """f's value and its gradients for a random gradient of the output."""
    leaves = {name: value.clone().requires_grad_() for name, value in inputs.items()}
    y = f(**leaves)
    grad = random(seed, *y.shape)
    y.backward(grad)
    tensors = {f"in.{name}": value for name, value in inputs.items()} | {"out.y": y, "grad_out.y": grad}
    return tensors | {f"grad.{name}": leaf.grad for name, leaf in leaves.items()}


def loss_of(f, name, value):
    leaf = value.clone().requires_grad_()
    loss = f(leaf)
    loss.backward()
    return {f"in.{name}": value, "out.loss": loss.reshape(1), f"grad.{name}": leaf.grad}


def rcll(logits, labels, alpha, threshold):
    p = logits.softmax(1).gather(1, labels[:, None])[:, 0].clamp(min=threshold, max=1 - 1e-12)
    return ((-p.log()) ** alpha * (1 - p)).mean()


def contrastive(features, tau):
    unit = F.normalize(features, dim=1)
    n = len(unit) // 2
    scores = unit @ unit.T / tau
    scores = scores.masked_fill(torch.eye(2 * n, dtype=torch.bool), -torch.inf)
    partner = torch.arange(2 * n).roll(n)
    return 2 * F.cross_entropy(scores, partner)


def make(folder):
    a, b = random(1, 13, 20), random(2, 20, 9)
    tensors = differentiated(lambda a, b: a @ b, {"a": a, "b": b}, 3)
    write(folder, "matmul", "matmul", {}, tensors)

    for stride, padding, shape, weight in [(1, 1, (2, 3, 7, 9), (4, 3, 3, 3)), (2, 3, (1, 4, 11, 8), (8, 4, 7, 5))]:
        inputs = {"x": random(4, *shape), "w": random(5, *weight)}
        tensors = differentiated(lambda x, w: F.conv2d(x, w, stride=stride, padding=padding), inputs, 6)
        write(folder, f"conv2d_stride{stride}", "conv2d", {"stride": stride, "padding": padding}, tensors)

    mean, var = random(7, 6), random(8, 6, low=0.5, high=2)
    inputs = {"x": random(9, 4, 6, 5, 3), "gamma": random(10, 6), "beta": random(11, 6)}
    evaluated = F.batch_norm(inputs["x"], mean, var, inputs["gamma"], inputs["beta"], False, 0.1, 1e-5)
    new_mean, new_var = mean.clone(), var.clone()
    tensors = differentiated(
        lambda x, gamma, beta: F.batch_norm(x, new_mean, new_var, gamma, beta, True, 0.1, 1e-5), inputs, 12
    )
    tensors |= {"in.running_mean": mean, "in.running_var": var, "out.y_eval": evaluated}
    tensors |= {"out.running_mean": new_mean, "out.running_var": new_var}
    write(folder, "batch_norm", "batch_norm", {"momentum": 0.1, "eps": 1e-5}, tensors)

    tensors = differentiated(lambda x: F.max_pool2d(x, 3, 2, 1), {"x": random(13, 2, 3, 9, 8)}, 14)
    write(folder, "max_pool2d", "max_pool2d", {"kernel": 3, "stride": 2, "padding": 1}, tensors)
    tensors = differentiated(lambda x: F.normalize(x, dim=1), {"x": random(15, 5, 7)}, 16)
    write(folder, "l2_normalize", "l2_normalize", {}, tensors)

    points = random(17, 2, 3, 50)
    idx = torch.cdist(points.transpose(1, 2), points.transpose(1, 2)).topk(7, dim=-1, largest=False)[1]
    write(folder, "knn", "knn", {"k": 7}, {"in.x": points, "out.idx": idx})

    logits, labels = random(18, 12, 5, low=-4, high=4), torch.arange(12) * 7 % 5
    tensors = loss_of(lambda z: F.cross_entropy(z, labels), "logits", logits) | {"in.labels": labels}
    write(folder, "cross_entropy", "softmax_cross_entropy", {}, tensors)
    for alpha in (0.0, 0.25, 1.0):
        tensors = loss_of(lambda z: rcll(z, labels, alpha, 0.2), "logits", logits) | {"in.labels": labels}
        write(folder, f"rcll_alpha{alpha}", "rcll", {"alpha": alpha, "threshold": 0.2}, tensors)
    tensors = loss_of(lambda f: contrastive(f, 0.15), "features", random(19, 16, 6))
    write(folder, "contrastive", "cross_modal_contrastive", {"tau": 0.15}, tensors)
