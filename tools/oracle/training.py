"""Fixtures of whole encoders, and of ten steps of each stage and of AdamW."""

import torch
from fixture import hash_uniform, hash_weights, random, write
from networks import Dgcnn, PointNet, ResNet
from ops import contrastive, rcll
from torch import nn
from torch.nn import functional as F


def encoder(folder, name, op, network, shape, attrs, rtol=2e-3, atol=5e-4):
    """Features in evaluation and in training, and the norm of every parameter's gradient."""
    network = hash_weights(network.double())
    x = hash_uniform("in.x", shape)
    network.eval()
    with torch.no_grad():
        evaluated = network(x)
    network.train()
    features = network(x)
    grad = random(20, *features.shape)
    features.backward(grad)
    names = [key for key, _ in network.named_parameters()]
    norms = torch.stack([parameter.grad.norm() for parameter in network.parameters()])
    tensors = {"out.features": features, "out.features_eval": evaluated, "grad_out.features": grad, "out.grad_norms": norms}
    attrs = attrs | {"weights": "hash", "inputs": {"in.x": list(shape)}, "parameters": names}
    write(folder, name, op, attrs, tensors, rtol, atol)


def encoders(folder):
    encoder(folder, "resnet18_224", "resnet", ResNet(18, 32), (2, 3, 224, 224), {"depth": 18, "out_dim": 32})
    # PyTorch's own float32 gradients differ from its float64 ones by 4e-3 here: 50 layers, the last over 16 pixels.
    resnet50 = {"depth": 50, "out_dim": 32}
    encoder(folder, "resnet50", "resnet", ResNet(50, 32), (4, 3, 64, 64), resnet50, rtol=1e-2)
    encoder(folder, "pointnet", "pointnet", PointNet(64), (4, 3, 200), {"out_dim": 64})
    # f32 and f64 may order near neighbours differently; a few of 80,000 edges change, and with them the last digits.
    dgcnn = {"out_dim": 32, "k": 40}
    encoder(folder, "dgcnn_1024", "dgcnn", Dgcnn(32, 40), (2, 3, 1024), dgcnn, rtol=5e-3, atol=2e-3)


# A learning rate at which ten steps in float32 stay near to those in float64: at 1e-3 they part, because a neighbour or a target
# flips and each step makes more of it.
STEPS, BATCH, CLASSES, DIM = 10, 8, 5, 32
SHAPES = {"in.images": [STEPS, BATCH, 3, 32, 32], "in.points": [STEPS, BATCH, 3, 64]}
COMMON = {"out_dim": DIM, "k": 8, "classes": CLASSES, "lr": 2e-5, "momentum": 0.9, "weight_decay": 1e-5}


def networks():
    images = hash_weights(ResNet(18, DIM).double(), "img.")
    points = hash_weights(Dgcnn(DIM, COMMON["k"]).double(), "pc.")
    return images, points


def adamw(folder):
    """Ten steps on one parameter, the rate along half a cosine."""
    attrs = {"lr": 0.03, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.1, "steps": STEPS}
    start, gradients = random(21, 7, 5), random(22, STEPS, 7, 5)
    parameter = start.clone().requires_grad_()
    adamw = torch.optim.AdamW(
        [parameter], attrs["lr"], (attrs["beta1"], attrs["beta2"]), attrs["epsilon"], attrs["weight_decay"]
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adamw, STEPS)
    path = []
    for step in range(STEPS):
        parameter.grad = gradients[step].clone()
        adamw.step()
        schedule.step()
        path.append(parameter.detach().clone())
    tensors = {"in.param": start, "in.grads": gradients, "out.params": torch.stack(path)}
    write(folder, "adamw_10_steps", "adamw", attrs, tensors, 2e-5, 2e-6)


def optimiser(parameters):
    return torch.optim.SGD(parameters, COMMON["lr"], COMMON["momentum"], weight_decay=COMMON["weight_decay"])


def named(**modules):
    return [f"{prefix}.{name}" for prefix, module in modules.items() for name, _ in module.named_parameters()]


def rdl(folder):
    images, points = networks()
    head = nn.Module()
    head.head = nn.Sequential(nn.Linear(DIM, 128), nn.ReLU(), nn.Linear(128, CLASSES))
    hash_weights(head.double(), "head.")
    x, y = (hash_uniform(name, shape) for name, shape in SHAPES.items())
    labels = torch.arange(STEPS * 2 * BATCH).reshape(STEPS, 2, BATCH) * 7 % CLASSES
    alpha, tau = 0.25, 0.15
    sgd = optimiser([*images.parameters(), *points.parameters(), *head.parameters()])
    losses = []
    for step in range(STEPS):
        u, v = images(x[step]), points(y[step])
        robust = sum(rcll(head.head(f), labels[step, i], alpha, 1 / CLASSES) for i, f in enumerate((u, v)))
        loss = 0.7 * robust + 0.3 * contrastive(torch.cat((u, v)), tau)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    attrs = COMMON | {"alpha": alpha, "tau": tau, "weight_rcll": 0.7, "weight_mlm": 0.3, "inputs": SHAPES}
    attrs["parameters"] = named(img=images, pc=points, head=head)
    write(folder, "rdl_10_steps", "rdl_trajectory", attrs, {"in.labels": labels, "out.losses": losses}, 2e-3, 0)


def ssm(folder):
    """Hard targets of the memory banks (`memory`), both heads, L_mlm, and the banks' updates."""
    images, points = networks()
    heads = [hash_weights(nn.Linear(DIM, CLASSES, bias=False).double(), f"{name}.") for name in ("image_head", "point_head")]
    x, y = (hash_uniform(name, shape) for name, shape in SHAPES.items())
    samples = 2 * BATCH
    banks = [F.normalize(hash_uniform(name, (samples, DIM)), dim=1) for name in ("in.image_bank", "in.point_bank")]
    ids = (torch.arange(STEPS * BATCH).reshape(STEPS, BATCH) * 5) % samples
    tau, share, momentum, temperature = 0.1, 0.75, 0.9, 0.1
    sgd = optimiser([*images.parameters(), *points.parameters(), *(p for head in heads for p in head.parameters())])
    losses = []
    for step in range(STEPS):
        units = [F.normalize(f, dim=1) for f in (images(x[step]), points(y[step]))]
        supervision = 0
        for head, bank, unit in zip(heads, banks, units):
            target = head(bank[ids[step]]).argmax(1).detach()
            supervision = supervision + F.cross_entropy(head(unit) / temperature, target)
        loss = share * supervision + (1 - share) * contrastive(torch.cat(units), tau)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
        for bank, unit in zip(banks, units):
            bank[ids[step]] = F.normalize(momentum * bank[ids[step]] + (1 - momentum) * unit.detach(), dim=1)
    attrs = COMMON | {"tau": tau, "lambda": share, "memory_momentum": momentum, "head_temperature": temperature}
    attrs |= {"samples": samples, "inputs": SHAPES}
    attrs["parameters"] = named(img=images, pc=points, image_head=heads[0], point_head=heads[1])
    tensors = {"in.ids": ids, "out.losses": losses, "out.image_bank": banks[0], "out.point_bank": banks[1]}
    write(folder, "ssm_10_steps", "ssm_trajectory", attrs, tensors, 2e-3, 2e-3)
