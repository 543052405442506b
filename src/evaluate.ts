/** `node dist/evaluate.js RUN_DIR`: the figures of a run, computed again from its saved models. */
import { join } from 'node:path';
import { Command } from 'commander';
import { addDataOptions, openRunData } from './cli/data.ts';
import { main } from './cli/main.ts';
import { figuresTable } from './cli/report.ts';
import { loadModels, readConfig, readTensors } from './cli/run_folder.ts';
import { allFigures, emptyModels } from './romo/run.ts';
import { openDevice } from './tensor/device.ts';

const command = addDataOptions(new Command('evaluate'))
  .description('Computes the figures of a run again, from its saved models.')
  .argument('<run>', 'folder that node dist/train.js wrote')
  .option('--data <spec>', 'other data than the run was made with')
  .option('--device <name>', "part of the WebGPU adapter's name")
  .option('--json', 'print JSON instead of the table')
  .helpOption('--help', 'show this');

await main(command, async () => {
  const [folder] = command.args;
  const options = command.opts();
  const config = readConfig(join(folder, 'config.json'));
  const modelFile = join(folder, 'model.safetensors');
  const tensors = readTensors(modelFile);
  if (options.data) config.data = options.data;
  const { data, close } = await openRunData(config, command);
  const gpu = await openDevice({ adapter: options.device });
  try {
    const models = emptyModels(gpu, config, data.train.pairs.imageShape[2]);
    loadModels(models, tensors, modelFile);
    const stages = await allFigures(gpu, data, config, models);
    process.stdout.write(
      options.json ? `${JSON.stringify({ adapter: gpu.adapterName, stages }, null, 2)}\n` : `${figuresTable(stages)}\n`,
    );
  } finally {
    gpu.close();
    await close();
  }
});
