/** `node dist/convert.js WEIGHTS --out FILE`: renames pretrained weights for our encoders. */
import { Command } from 'commander';
import { writeWhole } from '../files/disk.ts';
import { encodeSafetensors, type SafetensorEntry } from '../files/safetensors.ts';
import type { Program } from './main.ts';
import { readWeights } from './weights.ts';

export function convertProgram(): Program {
  const command = new Command('convert')
    .description("Renames pretrained weights (torchvision's and timm's ResNets, the official DGCNN) for our encoders.")
    .argument('<weights>', 'safetensors file')
    .requiredOption('--out <file>', 'safetensors file to write')
    .helpOption('--help', 'show this');

  return {
    command,
    async run() {
      const [path] = command.args;
      const { out } = command.opts();
      const { network, state, leftOut } = readWeights(path).weights;
      const entries = Object.entries(state).map(([name, floats]): [string, SafetensorEntry] => [
        name,
        { ...floats, dtype: 'f32' },
      ]);
      await writeWhole(out, encodeSafetensors(Object.fromEntries(entries), { network: JSON.stringify(network) }));
      process.stdout.write(`${path}: ${JSON.stringify(network)}\n`);
      process.stdout.write(`${entries.length} tensors written to ${out}\n`);
      if (leftOut.length > 0) process.stdout.write(`left out (classifier, counters): ${leftOut.join(', ')}\n`);
    },
  };
}
