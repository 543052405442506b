/** `node dist/train.js`: learns the common space and writes the run to --out. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRunData } from './cli/data.ts';
import { inspectData } from './cli/inspect.ts';
import { main } from './cli/main.ts';
import { readTrainOptions, trainCommand } from './cli/options.ts';
import { duration, figuresTable, ProgressReport } from './cli/report.ts';
import {
  checkRunFolder,
  createRunFolder,
  pseudoLabelsCsv,
  saveModels,
  writeJson,
  writeWhole,
} from './cli/run_folder.ts';
import { checkConfig } from './romo/config.ts';
import { run } from './romo/run.ts';
import { openDevice } from './tensor/device.ts';

const command = trainCommand();
await main(command, async () => {
  const { config, out, overwrite, quiet, device, inspect, fewerWillDo } = readTrainOptions(command);
  if (inspect) return inspectData(config, command, fewerWillDo, out);
  checkRunFolder(out, overwrite);
  const progress = new ProgressReport(quiet);
  const started = performance.now();
  const { data, skipped, close } = await openRunData(config, command, fewerWillDo);
  Object.assign(config, { train: data.train.pairs.length, test: data.test.pairs.length });
  checkConfig(config); // with the numbers that are there
  const gpu = await openDevice({ adapter: device });
  try {
    createRunFolder(out);
    if (config.set?.onBad === 'skip') writeJson(join(out, 'skipped.json'), skipped);
    if (skipped.length > 0) progress.line(`${skipped.length} bad objects skipped, see skipped.json`);
    writeJson(join(out, 'config.json'), config);
    const metrics = join(out, 'metrics.jsonl');
    writeWhole(metrics, '');
    const log = (entry: object) => appendFileSync(metrics, `${JSON.stringify(entry)}\n`);
    const kind = gpu.software ? 'software' : 'GPU';
    progress.line(`adapter: ${gpu.adapterName} (${kind})`);
    progress.line(
      `data: ${config.data}, ${config.train} pairs to train on, ${config.test} held out, ${config.clusters} clusters`,
    );
    const { models, result } = await run(gpu, data, config, {
      onStep(report) {
        log(report);
        progress.step(report);
      },
      onPhase: (text) => progress.line(text),
      onWarning(text) {
        log({ warning: text });
        progress.line(`warning: ${text}`);
      },
      onMetrics: log,
      onPseudoLabels: (labels) => writeWhole(join(out, 'pseudo-labels.csv'), pseudoLabelsCsv(data.train.pairs, labels)),
    });
    await saveModels(join(out, 'model.safetensors'), models, config);
    const total = (performance.now() - started) / 1000;
    writeJson(join(out, 'result.json'), { ...result, seconds: { ...result.seconds, total } });
    progress.stop();
    process.stdout.write(`${figuresTable(result.stages, { ssm: result.seconds.ssm, rdl: result.seconds.rdl })}\n`);
    if (result.pseudoLabelAccuracy) {
      const { images, points } = result.pseudoLabelAccuracy;
      process.stdout.write(`pseudo labels right: images ${images.toFixed(3)}, clouds ${points.toFixed(3)}\n`);
    }
    process.stdout.write(`${duration(total)} in all\n`);
    process.stdout.write(`written to ${out}\n`);
  } finally {
    progress.stop();
    gpu.close();
    await close();
  }
});
