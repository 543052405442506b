/**
 * `npm run bench:loader -- --data SPEC [training options]`: pairs per second that are read, decoded and augmented,
 * without training, and the process's peak memory. Nothing is kept on disk between runs unless --cache-dir is given.
 */
import Table from 'cli-table3';
import { openRunData } from '../../src/commands/data.ts';
import { main } from '../../src/commands/main.ts';
import { readTrainOptions, trainCommand } from '../../src/commands/options.ts';
import { Random } from '../../src/tensor/random.ts';

const EPOCHS = 2;

const command = trainCommand().name('bench:loader').description('Times the data loader without training.');
command.setOptionValue('cacheDir', 'none');
await main({ command, run });

async function run(): Promise<void> {
  const { config, fewerWillDo } = readTrainOptions(command);
  const table = new Table({
    head: ['', 'pairs', 'seconds', 'pairs/s'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  const timed = async (name: string, work: () => Promise<number>) => {
    const start = performance.now();
    const pairs = await work();
    const seconds = (performance.now() - start) / 1000;
    table.push([name, pairs, seconds.toFixed(1), (pairs / seconds).toFixed(0)].map(String));
  };
  let opened: Awaited<ReturnType<typeof openRunData>> | undefined;
  await timed('opened: every pair read and checked once', async () => {
    opened = await openRunData(config, command, { fewerWillDo });
    return opened.data.train.pairs.length + opened.data.test.pairs.length;
  });
  if (!opened) return;
  const { data, skipped, close } = opened;
  const { pairs } = data.train;
  const { augment: strength, batch, points, sampling, seed } = config;
  const { mirror, rotation } = data;
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    await timed(`epoch ${epoch + 1}: batches of ${batch}, augmented`, async () => {
      const order = new Random(seed, 'order', epoch).permutation(pairs.length);
      const showing = { seed, stage: 'ssm', epoch, strength, mirror, rotation, points, sampling };
      for (let start = 0; start < order.length; start += batch) {
        const indices = order.subarray(start, start + batch);
        await (pairs.show ? pairs.show(indices, showing) : pairs.load(indices));
      }
      return pairs.length;
    });
  }
  await close();
  const [height, width, channels] = pairs.imageShape;
  process.stdout.write(`${config.data}: images [${height}, ${width}, ${channels}], ${points} points\n${table}\n`);
  const peak = process.resourceUsage().maxRSS / 1024; // KiB
  process.stdout.write(`${skipped.length} bad objects skipped; peak memory ${peak.toFixed(0)} MiB\n`);
}
