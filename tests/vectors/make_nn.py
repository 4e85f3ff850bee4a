#!/usr/bin/env python3
"""Values and gradients of small networks, computed by PyTorch in double: nn-torch.json.
usage: make_nn.py > nn-torch.json (python3-torch)"""
import json
import torch
import torch.nn.functional as F

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)


def parameter(*shape):
    return (torch.randn(*shape) * 0.6).round(decimals=4).requires_grad_()


def case(name, parameters, y):
    weights = torch.randn(y.numel()).round(decimals=4)
    (y.reshape(-1) * weights).sum().backward()
    flat = lambda t: [float(f"{v:.12g}") for v in t.detach().reshape(-1)]
    return {"name": name, "weights": flat(weights), "output": flat(y),
            "parameters": {k: {"value": flat(p), "grad": flat(p.grad)} for k, p in parameters.items()}}


def rms(x, w):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5) * w


def rope(x, length):  # [batch, length, heads, dim], halves
    half = x.shape[-1] // 2
    angle = torch.arange(length)[:, None] * 100.0 ** (-torch.arange(half) / half)
    c, s = torch.cos(angle)[None, :, None], torch.sin(angle)[None, :, None]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * c - b * s, a * s + b * c], -1)


def llama():
    """Embedding and one block: grouped heads, SwiGLU; 2 sequences of 5."""
    ids = torch.tensor([[3, 1, 4, 1, 5], [2, 6, 5, 3, 0]])
    p = {"table": parameter(7, 8), "norm1": parameter(8), "q": parameter(16, 8), "k": parameter(8, 8),
         "v": parameter(8, 8), "o": parameter(8, 16), "norm2": parameter(8), "gate": parameter(12, 8),
         "up": parameter(12, 8), "down": parameter(8, 12)}
    x = p["table"][ids]
    a = rms(x, p["norm1"])
    q = rope((a @ p["q"].T).view(2, 5, 4, 4), 5).transpose(1, 2)
    k = rope((a @ p["k"].T).view(2, 5, 2, 4), 5).transpose(1, 2).repeat_interleave(2, 1)
    v = (a @ p["v"].T).view(2, 5, 2, 4).transpose(1, 2).repeat_interleave(2, 1)
    scores = (q @ k.transpose(-1, -2) / 2).masked_fill(torch.ones(5, 5).triu(1) > 0, -torch.inf)
    a = (F.softmax(scores, -1) @ v).transpose(1, 2).reshape(2, 5, 16)
    x = x + a @ p["o"].T
    f = rms(x, p["norm2"])
    x = x + (F.silu(f @ p["gate"].T) * (f @ p["up"].T)) @ p["down"].T
    return case("llama", p, x)


def image():
    """Two convolutions, GELU, a layer norm over channels, softmax; 2 images of 6 x 5 x 2."""
    p = {"x": parameter(2, 6, 5, 2), "w1": parameter(3, 3, 3, 2), "b1": parameter(3),
         "w2": parameter(4, 2, 3, 3), "scale": parameter(4), "shift": parameter(4)}
    x = F.conv2d(p["x"].permute(0, 3, 1, 2), p["w1"].permute(0, 3, 1, 2), p["b1"], padding=1)
    x = F.gelu(x, approximate="tanh")
    x = F.conv2d(x, p["w2"].permute(0, 3, 1, 2), stride=2).permute(0, 2, 3, 1)
    return case("image", p, F.softmax(F.layer_norm(x, (4,), p["scale"], p["shift"], 1e-5), -1))


def lstm():
    """torch.nn.LSTM over 3 steps of 2 sequences, 4 inputs, width 3; gates i, f, g, o."""
    cell = torch.nn.LSTM(4, 3)
    cell.bias_hh_l0.data.zero_()
    p = {"x": parameter(3, 2, 4), "w_x": cell.weight_ih_l0, "w_h": cell.weight_hh_l0,
         "bias": cell.bias_ih_l0}
    y, _ = cell(p["x"])
    return case("lstm", p, y)


print(json.dumps({"torch": torch.__version__, "cases": [llama(), image(), lstm()]}, indent=1))
