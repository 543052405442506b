/** `node dist/convert.js WEIGHTS --out FILE`: weights of torchvision, timm or the official DGCNN under the names of our encoders. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { main } from './cli/main.ts';
import { writeWhole } from './cli/run_folder.ts';
import { convertWeights } from './model/convert.ts';
import type { Floats } from './model/module.ts';
import { decodeSafetensors, encodeSafetensors, type SafetensorEntry } from './model/safetensors.ts';
import { RomoError } from './tensor/error.ts';

const command = new Command('convert')
  .description("Renames pretrained weights (torchvision's and timm's ResNets, the official DGCNN) for our encoders.")
  .argument('<weights>', 'safetensors file')
  .requiredOption('--out <file>', 'safetensors file to write')
  .helpOption('--help', 'show this');

await main(command, async () => {
  const [path] = command.args;
  const { out } = command.opts();
  if (/\.(pth|pt|bin|ckpt|t7)$/.test(path)) {
    throw new RomoError(
      'file',
      `${path} is a pickle of PyTorch`,
      `Write a safetensors file from it: python -c "import torch, safetensors.torch as s; s.save_file({k: v.contiguous().clone() for k, v in torch.load('${path}', map_location='cpu').items()}, 'weights.safetensors')"`,
    );
  }
  const { tensors } = decodeSafetensors(readFileSync(path), path);
  const { network, state, leftOut } = convertWeights(tensors as Record<string, Floats>, path);
  const entries = Object.entries(state).map(([name, floats]): [string, SafetensorEntry] => [
    name,
    { ...floats, dtype: 'f32' },
  ]);
  writeWhole(out, encodeSafetensors(Object.fromEntries(entries), { network: JSON.stringify(network) }));
  process.stdout.write(`${path}: ${JSON.stringify(network)}\n`);
  process.stdout.write(`${entries.length} tensors written to ${out}\n`);
  if (leftOut.length > 0) process.stdout.write(`left out (classifier, counters): ${leftOut.join(', ')}\n`);
});
