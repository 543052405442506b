/** `node dist/search.js index|query|info`: embeds collections with a trained model, and queries them. */
import { Command, Option } from 'commander';
import { SET_FIELDS } from '../data/fields.ts';
import { addDataOptions } from './data.ts';
import { addDeviceOptions } from './device.ts';
import type { Program } from './main.ts';
import { countOrAll, whole } from './parse.ts';
import { indexCollection, parseShard } from './search_index.ts';
import { type QueryOptions, queryGallery, showInfo } from './search_query.ts';

const GALLERY = 'a folder; pglite:FOLDER, an embedded Postgres; or postgres://USER@HOST/DATABASE';
export function searchProgram(): Program {
  let action = async (): Promise<void> => {};

  const command = new Command('search')
    .description('Embeds a collection with a trained model, and finds entries similar to a picture or a 3D file.')
    .helpOption('--help', 'show this')
    .helpCommand(false);

  const index = addDeviceOptions(addDataOptions(command.command('index')))
    .description('Embeds a collection into a gallery. It can be stopped and started again at any time.')
    .argument('<run>', 'folder that node dist/train.js wrote')
    .requiredOption('--to <gallery>', GALLERY)
    .option('--data <spec>', 'the collection, which is indexed completely; default: the data of the run')
    .addOption(
      new Option('--split <name>', 'objects to index; other: neither trained on nor held out by the run')
        .choices(['train', 'test', 'other', 'all'])
        .default('all'),
    )
    .option(
      '--shard <i/n>',
      'index only every n-th object from the i-th on, counted from 0, so that n programs can share the work',
      parseShard,
    )
    .addOption(
      new Option('--up <axis>', "axis that points up in the 3D files; default: the run's; GLB always has y").choices(
        SET_FIELDS.up.of,
      ),
    )
    .addOption(new Option('--on-bad <what>', 'a bad object ends the program, or is left out').choices(['fail', 'skip']))
    .option(
      '--train <n>',
      "with --data: training objects, or all (default: all; of shapes, the run's number)",
      countOrAll,
    )
    .option('--test <n>', 'with --data: test objects, or all', countOrAll)
    .option('--source <name>', 'name of the collection (default: kind and full path of --data)')
    .option('--sync', 'also remove from the gallery what is no longer in the collection')
    .option(
      '--shards <urls>',
      'postgres://: spread a new gallery over these servers, or add those at the end of the list (postgres://USER:PASSWORD@HOST/DATABASE,...)',
      (text: string) => text.split(','),
    )
    .option('--half', 'a new gallery stores vectors as f16, which takes half the bytes')
    .option('--hnsw', 'databases: build the index for approximate search (see query --ef-search)')
    .option('--no-thumbnails', 'do not store pictures for --html')
    .option('--quiet', 'no progress')
    .helpOption('--help', 'show this')
    .action((run: string) => {
      action = () => indexCollection(run, index);
    });

  const query = addDeviceOptions(command.command('query'))
    .description('Finds the entries that are most similar to a picture or a 3D file.')
    .argument('<gallery>', GALLERY)
    .option('--image <file>', 'query with a picture (png, jpg, webp)')
    .option('--points <file>', 'query with a mesh or cloud (off, obj, ply, stl, pcd, npy, xyz, glb)')
    .option('--mask <file>', 'picture of the same size as --image, black outside the object')
    .addOption(
      new Option('--up <axis>', "axis that points up in --points; default: the gallery's; GLB always has y").choices(
        SET_FIELDS.up.of,
      ),
    )
    .option('--model <run>', 'run whose model made the gallery', 'runs/latest')
    .option('--top <n>', 'number of answers', whole(1), 10)
    .addOption(
      new Option('--for <kind>', 'kind of entries to find; default: the other kind').choices([
        'image',
        'points',
        'both',
      ]),
    )
    .option('--source <name>', 'search only this collection (info lists them)')
    .option('--where <condition>', "for example \"category = 'chair' and split = 'test'\", see docs/search.md")
    .option('--ef-search <n>', 'databases with an index: approximate search with this many candidates', whole(1))
    .option('--json', 'print JSON instead of the table')
    .option('--html <file>', 'write the answers with their pictures as one HTML file')
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

  return { command, run: () => action() };
}
