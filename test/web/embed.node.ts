/**
 * Trains a tiny model in Node, writes it to the given path, and prints fingerprints of embeddings as the search page
 * shows them: of a gallery object, of an example drawing, and of the mesh in a second file, whose y is up. A process of its own, because the environment selects the driver.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { embedImages, encodeModels, loadEncoders, openDevice, openShapes, PRESETS, run } from 'romo';
import { prepareCloud } from 'romo/data';
import { parseGeometry } from 'romo/files';
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
  const geometry = await parseGeometry(readFileSync(process.argv[3]), process.argv[3]);
  const prepared = prepareCloud(geometry, process.argv[3], { ...model.preparation, up: 'y' });
  const mesh = await embedItems(model, [{ name: 'mesh', picture: null, cloud: prepared }]);
  const picture = await embedImages(model, fitPicture(example.picture, PICTURE, model));
  const fingerprints = { cloud: fingerprint(cloud), picture: fingerprint(picture), mesh: fingerprint(mesh) };
  console.log(JSON.stringify({ adapter: gpu.adapterName, ...fingerprints }));
} finally {
  gpu.close();
}
