/** `node dist/search.js index|query|info`: embeds collections with a trained model, and queries them. */
import { Command, Option } from 'commander';
import { addDataOptions } from './data.ts';
import { addDeviceOptions } from './device.ts';
import { main } from './main.ts';
import { whole } from './parse.ts';
import { indexCollection, parseShard } from './search_index.ts';
import { type QueryOptions, queryGallery, showInfo } from './search_query.ts';

const GALLERY = 'a folder; pglite:FOLDER, an embedded Postgres; or postgres://USER@HOST/DATABASE';
let action = async (): Promise<void> => {};

const command = new Command('search')
  .description('Embeds a collection with a trained model, and finds what is like a picture or a 3D file.')
  .helpOption('--help', 'show this')
  .helpCommand(false);

const index = addDeviceOptions(addDataOptions(command.command('index')))
  .description('Embeds a collection into a gallery. May be stopped and started again.')
  .argument('<run>', 'folder that node dist/train.js wrote')
  .requiredOption('--to <gallery>', GALLERY)
  .option('--data <spec>', 'the collection, all of it; default: the data of the run')
  .addOption(new Option('--split <name>', 'which objects').choices(['train', 'test', 'all']).default('all'))
  .option(
    '--shard <i/n>',
    'only every n-th object, from the i-th, i from 0: one of n programs that share the work',
    parseShard,
  )
  .addOption(new Option('--on-bad <what>', 'a bad object is an error, or is left out').choices(['fail', 'skip']))
  .option('--hnsw', 'databases: build the index for approximate search (see query --ef-search)')
  .option('--no-thumbnails', 'keep no pictures for --html')
  .option('--quiet', 'no progress')
  .helpOption('--help', 'show this')
  .action((run: string) => {
    action = () => indexCollection(run, index);
  });

const query = addDeviceOptions(command.command('query'))
  .description('Finds the entries that are most like a picture or a 3D file.')
  .argument('<gallery>', GALLERY)
  .option('--image <file>', 'ask with a picture (png, jpg, webp)')
  .option('--points <file>', 'ask with a mesh or cloud (off, obj, ply, stl, pcd, npy, xyz, glb)')
  .option('--model <run>', 'run whose model made the gallery', 'runs/latest')
  .option('--top <n>', 'how many answers', whole(1), 10)
  .addOption(
    new Option('--for <kind>', 'what is looked for; default: the other kind').choices(['image', 'points', 'both']),
  )
  .option('--where <condition>', "such as \"category = 'chair' and split = 'test'\", see docs/search.md")
  .option('--ef-search <n>', 'databases with an index: approximate search with so many candidates', whole(1))
  .option('--json', 'print JSON instead of the table')
  .option('--html <file>', 'write the answers with their pictures as one page')
  .helpOption('--help', 'show this')
  .action((gallery: string) => {
    action = () => queryGallery(gallery, query.opts<QueryOptions>());
  });

const info = command
  .command('info')
  .description('Shows what a gallery holds and which model made it.')
  .argument('<gallery>', GALLERY)
  .option('--json', 'print JSON')
  .helpOption('--help', 'show this')
  .action((gallery: string) => {
    action = () => showInfo(gallery, info.opts());
  });

await main(command, () => action());
