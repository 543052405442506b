/** `node dist/evaluate.js RUN_DIR`: computes the figures of a run again, from its saved models. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { SET_FIELDS } from '../data/fields.ts';
import { writeWhole } from '../files/disk.ts';
import { metricsIn, reportOf } from '../report/report.ts';
import { embedAll } from '../romo/embedding.ts';
import { allDirections, plainFigures } from '../romo/figures/retrieval.ts';
import { preparationOf } from '../romo/preparation.ts';
import { allFigures, emptyModels } from '../romo/run/run.ts';
import { openDevice } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { addDataOptions, openRunData } from './data.ts';
import { addDeviceOptions, deviceOptions } from './device.ts';
import type { Program } from './main.ts';
import { figuresTable, retrievalTable, STAGE_NAMES } from './report.ts';
import { loadModels, readConfig, readTensors } from './run_folder.ts';
import { changesOf, DRAWN_AGAIN, knownObjects } from './run_split.ts';

export function evaluateProgram(): Program {
  const command = addDeviceOptions(addDataOptions(new Command('evaluate')))
    .description('Computes the figures of a run again, from its saved models.')
    .argument('<run>', 'folder that node dist/train.js wrote')
    .option('--data <spec>', 'evaluate on this data instead of the data of the run')
    .addOption(
      new Option('--up <axis>', "with --data: axis that points up in the 3D files; default: the run's").choices(
        SET_FIELDS.up.of,
      ),
    )
    .option('--json', 'print JSON instead of the tables')
    .option('--report <file>', 'write a report with curves, a map, examples and clusters as one HTML file')
    .helpOption('--help', 'show this');

  return { command, run: () => evaluate(command) };
}

async function evaluate(command: Command): Promise<void> {
  const [folder] = command.args;
  const options = command.opts();
  const config = readConfig(join(folder, 'config.json'));
  const modelFile = join(folder, 'model.safetensors');
  const tensors = readTensors(modelFile);
  if (options.up && !options.data) {
    throw new RomoError('option', '--up belongs to --data', "Leave it out: the run's own axis is stored.");
  }
  const known = knownObjects(folder, config, options.data, 'none');
  if (options.data) {
    // Prepared like the objects of the run, whatever the pictures of the other set are like.
    const { background, up } = preparationOf(config);
    const channels = tensors['rdl.encoders.image.conv1.weight']?.shape[1] as 1 | 3;
    Object.assign(config, {
      data: options.data,
      set: { ...config.set, channels, background, up: options.up ?? up },
    });
  }
  const fewer = { fewerWillDo: { train: true, test: true }, noneWillDo: true };
  const { data: opened, close } = await openRunData(config, command, { ...fewer, known });
  if ('found' in opened) {
    const changes = known ? changesOf(opened.since) : [DRAWN_AGAIN];
    for (const change of changes) process.stderr.write(`${config.data}: ${change}\n`);
  }
  const held = opened.test.pairs.length;
  if (held === 0) {
    await close();
    throw new RomoError('data', `${config.data} has no objects that were held out`, 'Add them again, or give --data.');
  }
  // Clustering needs as many objects as clusters, and the baseline clusters the training objects, if there are any.
  const clusters = Math.min(config.clusters, held);
  const data = opened.train.pairs.length < clusters ? { ...opened, train: opened.test } : opened;
  const { labels } = data.test;
  if (options.report && !labels) {
    await close();
    throw new RomoError('data', `--report needs classes, and ${config.data} has none`, 'Leave --report out.');
  }
  const gpu = await openDevice(deviceOptions(options));
  try {
    const models = emptyModels(gpu, config, data.train.pairs.imageShape[2]);
    loadModels(models, tensors, modelFile);
    const stages = await allFigures(gpu, data, { ...config, clusters }, models);
    const embeddings = await embedAll(gpu, models.rdl.encoders, data.test.pairs, config, data.rotation);
    const retrieval = labels && allDirections(embeddings, labels);
    if (options.report && labels && retrieval) {
      const metrics = join(folder, 'metrics.jsonl');
      const reports = metricsIn(existsSync(metrics) ? readFileSync(metrics, 'utf8') : '');
      const own = { ...config, clusters };
      const evaluated = { config: own, stages, stageNames: STAGE_NAMES, embeddings, retrieval, ...reports };
      await writeWhole(options.report, await reportOf(gpu, { ...data, test: { ...data.test, labels } }, evaluated));
    }
    const text = options.json
      ? JSON.stringify({ adapter: gpu.adapterName, stages, retrieval: retrieval && plainFigures(retrieval) }, null, 2)
      : [figuresTable(stages), ...(retrieval ? ['after rdl, in detail', retrievalTable(retrieval)] : [])].join('\n\n');
    process.stdout.write(`${text}\n`);
    if (options.report && !options.json) process.stdout.write(`written to ${options.report}\n`);
  } finally {
    gpu.close();
    await close();
  }
}
