"""Regenerates the committed fixtures with PyTorch on the CPU: python3 tools/oracle/make.py [FOLDER]

Needs PyTorch 1.13 or newer and NumPy (on Debian: apt-get install python3-torch). FOLDER is test/fixtures unless given.
"""

import sys
from pathlib import Path

import ops
import torch
import training
import weights

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "test" / "fixtures"
folder.mkdir(parents=True, exist_ok=True)
torch.set_default_dtype(torch.float64)
ops.make(folder)
training.encoders(folder)
training.adamw(folder)
training.rdl(folder)
training.ssm(folder)
weights.make(folder)
