/** `search.js query` and `info`: queries a gallery with a picture or a 3D file. */
import Table from 'cli-table3';
import { viewOf } from '../data/cloud_view.ts';
import { SET_FIELDS } from '../data/fields.ts';
import type { Axis } from '../data/prepare.ts';
import { writeWhole } from '../files/disk.ts';
import { counted } from '../files/remarks.ts';
import { cloudPicture, imagePicture } from '../report/pictures.ts';
import { parseFilter } from '../search/filter.ts';
import type { Answer, Modality } from '../search/gallery.ts';
import { openGallery } from '../search/open.ts';
import { checkSamePreparation } from '../search/stamp.ts';
import { type Gpu, openDevice } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { deviceOptions, type GivenDevice } from './device.ts';
import { embedCloudFile, embedImageFile, loadModelFile, readModelFile, stampOf } from './search_model.ts';
import { answersPage } from './search_page.ts';

export interface QueryOptions extends GivenDevice {
  readonly model: string;
  readonly image?: string;
  readonly mask?: string;
  readonly points?: string;
  readonly up?: Axis;
  readonly top: number;
  readonly for?: Modality | 'both';
  readonly where?: string;
  readonly source?: string;
  readonly efSearch?: number;
  readonly json?: boolean;
  readonly html?: string;
}

export async function queryGallery(to: string, options: QueryOptions): Promise<void> {
  const { image, mask, points, top, source, efSearch } = options;
  if ((image === undefined) === (points === undefined)) {
    throw new RomoError('option', 'a query is one picture or one 3D file', 'Give --image FILE or --points FILE.');
  }
  if (mask !== undefined && image === undefined) {
    throw new RomoError('option', '--mask belongs to a picture', 'Give --image FILE, or leave --mask out.');
  }
  const asked: Modality = image === undefined ? 'points' : 'image';
  const wanted = options.for ?? (asked === 'image' ? 'points' : 'image');
  const where = options.where === undefined ? undefined : parseFilter(options.where);
  const file = readModelFile(options.model);
  let gpu: Gpu | null = null;
  // Opened once it is needed: another model's gallery is refused at once.
  const device = async () => {
    gpu ??= await openDevice(deviceOptions(options));
    return gpu;
  };
  try {
    const gallery = await openGallery(to, null, device);
    try {
      if (gallery.model.sha256 !== file.sha256) {
        throw new RomoError(
          'gallery',
          `${to} was made by another model (${gallery.model.sha256.slice(0, 12)}...) than ${file.path}`,
          'Name the run that made it with --model, or index the collection again with this one.',
        );
      }
      const model = loadModelFile(await device(), file);
      const usual = SET_FIELDS.up.of.find((axis) => axis === gallery.model.preparation?.up) ?? model.preparation.up;
      const stamp = stampOf(file, model, usual);
      checkSamePreparation(to, gallery.model, stamp);
      const { up = usual } = options;
      const path = (image ?? points) as string;
      const query =
        image === undefined ? await embedCloudFile(model, path, up) : await embedImageFile(model, image, mask);
      for (const remark of query.remarks) process.stderr.write(`${path}: ${remark}\n`);
      const modality = wanted === 'both' ? undefined : wanted;
      const [answers] = await gallery.search(query.vector, { top, modality, source, where, efSearch });
      if (answers.length === 0) {
        const { images, points: clouds } = await gallery.info();
        process.stderr.write(`no matching entry among ${counted(images, 'image')} and ${counted(clouds, 'cloud')}\n`);
      }
      if (options.html) {
        const picture =
          asked === 'image'
            ? await imagePicture(query.content, model.imageShape)
            : await cloudPicture(query.content, viewOf({ axis: 2, maxDegrees: 180 }));
        await writeWhole(options.html, answersPage({ path, picture, gallery: to, where: options.where, answers }));
      }
      process.stdout.write(`${options.json ? json(path, answers) : table(answers)}\n`);
      if (options.html && !options.json) process.stdout.write(`written to ${options.html}\n`);
    } finally {
      await gallery.close();
    }
  } finally {
    (gpu as Gpu | null)?.close();
  }
}

export async function showInfo(to: string, options: { json?: boolean }): Promise<void> {
  const gallery = await openGallery(to, null, openDevice);
  try {
    const info = await gallery.info();
    const { model, images, points, sources, storage } = info;
    const lines = [
      `${counted(images, 'image')}, ${counted(points, 'cloud')} of ${model.dimension} numbers`,
      `model: ${model.stage}, SHA-256 ${model.sha256}`,
      ...(model.preparation ? [`objects: ${listed(model.preparation)}`] : []),
      ...sources.map(
        (one) =>
          `${one.source || 'without a source'}: ${counted(one.images, 'image')}, ${counted(one.points, 'cloud')}`,
      ),
      storage,
    ];
    process.stdout.write(`${options.json ? JSON.stringify(info, null, 2) : lines.join('\n')}\n`);
  } finally {
    await gallery.close();
  }
}

const listed = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

/** All metadata but the picture, which a table cannot show. */
const plain = ({ metadata: { thumbnail: _, ...metadata }, ...answer }: Answer) => ({ ...answer, metadata });

const json = (query: string, answers: readonly Answer[]): string =>
  JSON.stringify({ query, answers: answers.map(plain) }, null, 2);

function table(answers: readonly Answer[]): string {
  const shown = answers.map(plain);
  const fields = [...new Set(shown.flatMap(({ metadata }) => Object.keys(metadata)))];
  const hasSeveral = new Set(answers.map(({ source }) => source)).size > 1;
  const rows = new Table({
    head: ['', 'similarity', 'id', 'kind', ...fields, ...(hasSeveral ? ['source'] : [])],
    style: { head: [], border: [] },
  });
  shown.forEach(({ id, modality, source, similarity, metadata }, i) => {
    const kind = modality === 'image' ? 'picture' : '3D';
    rows.push([
      i + 1,
      similarity.toFixed(4),
      id,
      kind,
      ...fields.map((field) => String(metadata[field] ?? '')),
      ...(hasSeveral ? [source] : []),
    ]);
  });
  return rows.toString();
}
