/**
 * Trains a tiny model in Node, writes it to the given path, and prints fingerprints of embeddings as the search page
 * shows them. A process of its own, because the environment selects the driver.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { embedImages, encodeModels, loadEncoders, openDevice, openShapes, PRESETS, run } from 'romo';
import { exampleDrawings } from '../../web/search/examples.ts';
import { embedItems, fitPicture, openGallery, PICTURE } from '../../web/search/gallery.ts';

const fingerprint = (row: Float32Array) =>
  createHash('sha256').update(new Uint8Array(row.slice().buffer)).digest('hex');

const gpu = await openDevice();
try {
  const config = structuredClone(PRESETS.tiny);
  config.ssm.epochs = config.rdl.epochs = 1;
  const { models } = await run(gpu, await openShapes(config), config);
  const bytes = await encodeModels(models, config);
  writeFileSync(process.argv[2], bytes);
  const model = loadEncoders(gpu, bytes);
  const items = await openGallery();
  const [example] = exampleDrawings();
  const cloud = await embedItems(model, [items[2]]);
  const picture = await embedImages(model, fitPicture(example.picture, PICTURE, model));
  console.log(JSON.stringify({ adapter: gpu.adapterName, cloud: fingerprint(cloud), picture: fingerprint(picture) }));
} finally {
  gpu.close();
}
