/** `node dist/export.js RUN --image FILE --points FILE`: a run's encoders as ONNX models. */
import { Command } from 'commander';
import { writeWhole } from '../files/disk.ts';
import { encodeOnnx } from '../onnx/index.ts';
import { readModel } from '../romo/run/model_contents.ts';
import { RomoError } from '../tensor/error.ts';
import type { Program } from './main.ts';
import { readModelFile } from './search_model.ts';

export function exportProgram(): Program {
  const command = new Command('export')
    .description("Writes a run's encoders as ONNX models, for onnxruntime and others. Needs no GPU.")
    .argument('<run>', 'folder of a finished run, or its model.safetensors')
    .option('--image <file>', 'where the image encoder goes')
    .option('--points <file>', 'where the cloud encoder goes')
    .helpOption('--help', 'show this');

  return {
    command,
    async run() {
      const { image, points } = command.opts();
      if (!image && !points) {
        throw new RomoError('option', 'nothing to write', 'Name a file with --image, --points or both.');
      }
      const { path, bytes, sha256 } = readModelFile(command.args[0]);
      const contents = readModel(bytes, path);
      const encoders: readonly ['image' | 'cloud', string | undefined][] = [
        ['image', image],
        ['cloud', points],
      ];
      for (const [modality, file] of encoders) {
        if (!file) continue;
        const model = encodeOnnx(contents, modality, { modelSha256: sha256 });
        await writeWhole(file, model);
        process.stdout.write(`${modality} encoder written to ${file}: ${(model.length / 2 ** 20).toFixed(1)} MiB\n`);
      }
    },
  };
}
