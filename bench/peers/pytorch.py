"""PyTorch eager, on the CPU or on CUDA: python3 pytorch.py '{"workload": {...}, "device": "cpu", "tf32": false, "seconds": 45}'.
Prints a line `RESULT {json}` like worker.mjs."""

import json
import math
import os
import resource
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/oracle"))
import networks  # noqa: E402  the encoders that also make the fixtures

WARM_UPS, AT_LEAST, AT_MOST, ENOUGH_MS = 2, 7, 50, 1500


def fmix32(h):
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def hashed(name, count):
    key = 0x811C9DC5
    for byte in name.encode():
        key = ((key ^ byte) * 0x01000193) & 0xFFFFFFFF
    return fmix32(np.arange(count, dtype=np.uint32) ^ np.uint32(key))


def uniform(name, shape, scale=1.0, shift=0.0):
    u = (hashed(name, math.prod(shape)) >> np.uint32(8)).astype(np.float64) / 2**23 - 1
    return torch.from_numpy((shift + scale * u).astype(np.float32)).reshape(shape)


def weights(name, shape):
    if len(shape) >= 2:
        return uniform(name, shape, math.sqrt(3 / math.prod(shape[1:])))
    return uniform(name, shape, 0.25, 1 if name.endswith("weight") else 0)


def labels(name, count, classes):
    return torch.from_numpy((hashed(name, count) % np.uint32(classes)).astype(np.int64))


def places(size):
    return fmix32(np.arange(1, 65, dtype=np.uint32)).astype(np.int64) % size


def digest(tensor):
    values = tensor.detach().float().cpu().contiguous().reshape(-1).numpy()
    rms = math.sqrt(float(np.mean(np.square(values.astype(np.float64)))))
    return {"rms": rms, "elements": [float(values[i]) for i in places(values.size)]}


def digests(outputs):
    return {"values": {name: digest(tensor) for name, tensor in outputs.items()}}


def rows_of(indices, k):
    rows = indices.cpu().reshape(-1, k).numpy()
    return {"rows": [sorted(int(i) for i in rows[row]) for row in places(len(rows))]}


def first_layout(x):
    return x.permute(0, 3, 1, 2).contiguous()


def last_layout(x):
    return x.permute(0, 2, 3, 1)


class Dgcnn(networks.Dgcnn):
    """The same network with its authors' gather; the fixtures' version expands to [B, C, N, N], which is slow."""

    def forward(self, x):
        b, _, n = x.shape
        starts = torch.arange(b, device=x.device).view(b, 1, 1) * n
        features = []
        for index in range(self.count):
            c = x.shape[1]
            rows = x.transpose(1, 2).reshape(b * n, c)
            near = rows.index_select(0, (nearest(x.detach(), self.k) + starts).view(-1)).view(b, n, self.k, c)
            centre = rows.view(b, n, 1, c).expand(b, n, self.k, c)
            edges = torch.cat((near - centre, centre), 3).permute(0, 3, 1, 2).contiguous()
            x = F.leaky_relu(getattr(self, f"conv{index + 1}")(edges), 0.2).max(-1)[0]
            features.append(x)
        x = F.leaky_relu(getattr(self, f"conv{self.count + 1}")(torch.cat(features, 1)), 0.2)
        x = torch.cat((x.max(-1)[0], x.mean(-1)), 1)
        return F.leaky_relu(self.bn1(self.linear1(x)), 0.01)


def nearest(x, k):
    """x [B, C, N] -> [B, N, k]. Leaves out |x_i|^2, which is the same for all candidates of a row."""
    scores = torch.baddbmm(x.square().sum(1, keepdim=True), x.transpose(1, 2), x, beta=-1, alpha=2)
    return scores.topk(k, dim=-1)[1]


class Workloads:
    """Each method returns `run`, which returns the tensor whose first element is read, and `check`."""

    def __init__(self, device):
        self.device = device

    def input(self, name, shape, scale=1.0):
        return uniform(name, shape, scale).to(self.device)

    def matmul(self, s):
        a, b = self.input("a", (s["m"], s["k"])), self.input("b", (s["k"], s["n"]))
        return lambda: a @ b, lambda: digests({"output": a @ b})

    cold = matmul

    def conv(self, s):
        x = first_layout(self.input("x", (s["batch"], s["height"], s["width"], s["inChannels"])))
        w = weights("w", (s["outChannels"], s["inChannels"], s["size"], s["size"])).to(self.device)
        padding = int(s["padding"])

        def forward():
            return F.conv2d(x, w, stride=s["stride"], padding=padding)

        if not s["backward"]:
            return forward, lambda: digests({"output": last_layout(forward())})
        seed = first_layout(self.input("dy", (s["batch"], s["outHeight"], s["outWidth"], s["outChannels"])))
        return self.backward(forward, {"dx": x, "dw": w}, seed, {"dx": last_layout, "output": last_layout})

    def backward(self, forward, inputs, seed, layouts):
        for tensor in inputs.values():
            tensor.requires_grad_()
        outputs = {}

        def run():
            for tensor in inputs.values():
                tensor.grad = None
            y = forward()
            y.backward(seed)
            outputs.update({name: tensor.grad for name, tensor in inputs.items()}, output=y)
            return next(iter(outputs.values()))

        return run, lambda: digests({n: layouts.get(n, lambda t: t)(t) for n, t in outputs.items()})

    def knn(self, s):
        x = self.input("x", (s["batch"], s["points"], s["channels"]))

        def run():
            return nearest(x.transpose(1, 2), s["k"])

        return run, lambda: rows_of(run(), s["k"])

    def edgeConv(self, s):
        b, n, k, c, o = s["batch"], s["points"], s["k"], s["channels"], s["outChannels"]
        x = self.input("x", (b, n, c))
        w = weights("w", (o, 2 * c)).to(self.device)
        gamma, beta = (weights(f"norm.{part}", (o,)).to(self.device) for part in ("weight", "bias"))
        row = np.arange(b * n, dtype=np.int64)
        stride = 2 * (fmix32(row.astype(np.uint32)).astype(np.int64) % (n // 4)) + 1
        near = ((row % n)[:, None] + np.arange(k)[None] * stride[:, None]) % n + (row // n * n)[:, None]
        near = torch.from_numpy(near.reshape(-1)).to(self.device)

        def forward():
            neighbours = x.reshape(b * n, c).index_select(0, near).reshape(b, n, k, c)
            centre = x.unsqueeze(2).expand(b, n, k, c)
            y = torch.cat((neighbours - centre, centre), 3).reshape(-1, 2 * c) @ w.t()
            y = F.leaky_relu(F.batch_norm(y, None, None, gamma, beta, training=True), 0.2)
            return y.reshape(b, n, k, o).max(2)[0]

        if not s["backward"]:
            return forward, lambda: digests({"output": forward()})
        seed = self.input("dy", (b, n, o))
        return self.backward(forward, {"dx": x, "dw": w, "dgamma": gamma, "dbeta": beta}, seed, {})

    def crossEntropy(self, s):
        logits = self.input("logits", (s["rows"], s["classes"]), 5)
        targets = labels("labels", s["rows"], s["classes"]).to(self.device)
        run, check = self.backward(
            lambda: F.cross_entropy(logits, targets).reshape(1), {"dlogits": logits}, torch.ones(1, device=self.device), {}
        )
        return run, check

    def search(self, s):
        gallery = F.normalize(uniform("gallery", (s["rows"], s["channels"]))).to(self.device)
        queries = F.normalize(uniform("queries", (s["queries"], s["channels"]))).to(self.device)

        def run():
            return (queries @ gallery.t()).topk(s["k"])[1]

        return run, lambda: rows_of(run(), s["k"])

    def network(self, s):
        if s["network"] == "resnet18":
            x = first_layout(self.input("x", (s["batch"], s["size"], s["size"], 3)))
            encoder = networks.ResNet(18, s["embedding"])
        else:
            x = self.input("x", (s["batch"], s["points"], 3)).transpose(1, 2).contiguous()
            encoder = Dgcnn(s["embedding"], s["k"])
        return x, self.hashed(encoder)

    def hashed(self, module, prefix=""):
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                parameter.copy_(weights(prefix + name, tuple(parameter.shape)))
        return module.to(self.device)

    def encode(self, s):
        x, encoder = self.network(s)
        encoder.eval()

        def run():
            with torch.no_grad():
                return encoder(x)

        return run, lambda: digests({"output": run()})

    def train(self, s):
        x, encoder = self.network(s)
        head = self.hashed(torch.nn.Linear(s["embedding"], s["classes"]), "classifier.")
        targets = labels("labels", s["batch"], s["classes"]).to(self.device)
        parameters = [*encoder.parameters(), *head.parameters()]
        optimiser = torch.optim.SGD(parameters, lr=s["learningRate"], momentum=s["momentum"])
        losses = []

        def run():
            optimiser.zero_grad()
            loss = F.cross_entropy(head(encoder(x)), targets)
            loss.backward()
            optimiser.step()
            if len(losses) < 3:
                losses.append(float(loss))
            return loss.detach().reshape(1)

        return run, lambda: {"losses": losses}


def measure(run, device, seconds):
    times, first = [], 0
    begin = time.perf_counter()
    for i in range(WARM_UPS + AT_MOST):
        start = time.perf_counter()
        run().reshape(-1)[0].item()
        if device == "cuda":
            torch.cuda.synchronize()
        end = time.perf_counter()
        if i == 0:
            first = 1000 * (end - start)
        if i >= WARM_UPS:
            times.append(1000 * (end - start))
        spent = 1000 * (end - begin)
        if times and spent > 2000 * seconds or len(times) >= 3 and spent > 1000 * seconds:
            break
        if len(times) >= AT_LEAST and spent - first > ENOUGH_MS:
            break
    return first, times


def blas():
    """The BLAS of matrix products: the reference one is many times slower than an optimised one."""
    if "BLAS_INFO=mkl" in torch.__config__.show():
        return "MKL"
    try:
        with open("/proc/self/maps") as maps:
            files = {os.path.basename(line.split()[-1]) for line in maps if "blas" in line}
    except OSError:
        return "unknown"
    optimised = any("openblas" in name or "blis" in name for name in files)
    return "optimised" if optimised else "reference" if any("libblas" in name for name in files) else "unknown"


def main():
    order = json.loads(sys.argv[1])
    spec, device = order["workload"], order["device"]
    torch.backends.cuda.matmul.allow_tf32 = order["tf32"]
    torch.backends.cudnn.allow_tf32 = order["tf32"]
    torch.set_num_threads(os.cpu_count())
    run, check = getattr(Workloads(device), spec["kind"])(spec)
    threads = f", {torch.get_num_threads()} threads, {blas()} BLAS" if device == "cpu" else ""
    about = {"version": f"{torch.__version__}{threads}"}
    if spec["kind"] == "cold":
        run()[0, 0].item()
        print("READY", flush=True)
        return {"check": check(), "about": about}
    first, times = measure(run, device, order["seconds"])
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else None
    resident = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"first": first, "times": times, "peakBytes": peak, "residentBytes": resident, "check": check(), "about": about}


try:
    print("RESULT " + json.dumps(main()))
except Exception as error:  # shown in the table
    print("RESULT " + json.dumps({"error": f"{type(error).__name__}: {error}"[:2000]}))
    sys.exit(1)
