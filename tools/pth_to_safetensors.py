"""Converts a PyTorch weights file to safetensors: python tools/pth_to_safetensors.py WEIGHTS.pth WEIGHTS.safetensors"""

import sys

import torch
from safetensors.torch import save_file

source, target = sys.argv[1:]
state = torch.load(source, map_location="cpu", weights_only=True)
state = state.get("state_dict", state.get("model", state))  # some programs save more than the weights
save_file({name: value.detach().clone().contiguous() for name, value in state.items() if torch.is_tensor(value)}, target)
