/**
 * A gallery in a folder of files, see stored_part.ts. What a call writes is new files; it counts from the moment at
 * which gallery.json is replaced, so that a process may be killed at any time, and others may read meanwhile. Small
 * parts are merged now and then: a row is rewritten a few times at most. Node only.
 */
import { existsSync, readdirSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writeWhole } from '../../files/disk.ts';
import { whileLocked } from '../../files/lock.ts';
import type { Gpu } from '../../tensor/device.ts';
import { RomoError } from '../../tensor/error.ts';
import type { Answer, Entry, Gallery, GalleryInfo, Modality, ModelStamp, Numbers, SearchOptions } from '../gallery.ts';
import { checkSameModel, checkSameNumbers } from '../stamp.ts';
import { checkEntries, keyOf } from '../vectors.ts';
import { type OpenPart, openPart, removeLeftOvers, stateOf } from './files_on_disk.ts';
import { countRows } from './gallery_reader.ts';
import { encodeManifest, type Label, type ListedPart, MANIFEST, parseManifest } from './manifest.ts';
import { Resident } from './resident.ts';
import { searchParts } from './search_parts.ts';
import { readRows, type StoredPart } from './stored_part.ts';
import { type Blocks, toMerge, writePart } from './write_part.ts';

/**
 * @param stamp of the model whose embeddings come; where there is not a gallery yet, one is begun. null: it must be
 *   there.
 * @param device opened by the first search
 * @param numbers of a new gallery; default f32
 * @throws RomoError `gallery` where there is none, or another model made it; `file` where its files are damaged
 */
export async function openFileGallery(
  folder: string,
  stamp: ModelStamp | null,
  device: () => Promise<Gpu>,
  numbers?: Numbers,
): Promise<Gallery> {
  const manifest = join(folder, MANIFEST);
  if (!existsSync(manifest)) {
    if (!stamp) {
      throw new RomoError(
        'gallery',
        `there is not a gallery at ${folder}`,
        `Make it with node dist/search.js index RUN_DIR --to ${folder} first.`,
      );
    }
    const others = existsSync(folder)
      ? readdirSync(folder).filter((name) => !/^(gallery\.json\.part|lock)/.test(name))
      : [];
    if (others.length > 0) {
      throw new RomoError('gallery', `${folder} is not a gallery and holds ${others[0]}`, 'Choose a new folder.');
    }
    makeFolder(folder);
    await whileLocked(folder, async () => {
      if (existsSync(manifest)) return; // another shard was faster
      await writeWhole(manifest, encodeManifest({ model: stamp, numbers: numbers ?? 'f32', next: 1, parts: [] }));
    });
  }
  const text = await readFile(manifest, 'utf8');
  const { model, numbers: stored } = parseManifest(text, manifest);
  if (stamp) checkSameModel(folder, model, stamp);
  checkSameNumbers(folder, stored, numbers);
  const gallery = new FileGallery(folder, model, stored, device);
  await gallery.info(); // reads all labels, so that damage is found now
  return gallery;
}

interface Place {
  readonly part: StoredPart;
  readonly row: number;
}

class FileGallery implements Gallery {
  private opened = new Map<string, OpenPart>();
  private readonly places = new Map<string, Place>();
  private text = '';
  /** of gallery.json, as it was before `text` was read; '' if it could change again without a trace */
  private state = '';
  private resident: Resident | null = null;
  private next = 1;
  private cleaned = false;
  /** One operation at a time; otherwise parts could be merged away during a search. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly folder: string,
    readonly model: ModelStamp,
    private readonly numbers: Numbers,
    private readonly device: () => Promise<Gpu>,
  ) {}

  info(): Promise<GalleryInfo> {
    return this.inTurn(async () => {
      const parts = this.parts();
      const bytes = [...this.opened.values()].flatMap(({ files }) => files).reduce((sum, { size }) => sum + size, 0);
      const size = `${parts.length} parts of ${this.numbers}, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
      return {
        model: this.model,
        ...countRows(parts),
        storage: `folder ${this.folder}, ${size}; exact search on the GPU`,
      };
    });
  }

  search(queries: Float32Array, options: SearchOptions): Promise<Answer[][]> {
    return this.inTurn(async () => {
      const gpu = await this.device();
      if (this.resident?.gpu !== gpu) this.resident = new Resident(gpu, this.model.dimension);
      return searchParts(this.resident, this.parts(), this.model.dimension, queries, options);
    });
  }

  present(ids: readonly string[], modality: Modality, source = ''): Promise<Map<string, string>> {
    return this.inTurn(async () => {
      const placeOf = (id: string) => this.places.get(keyOf(modality, id, source));
      return new Map(
        ids.flatMap((id) => [placeOf(id) ?? []].flat().map(({ part, row }) => [id, part.labels[row].hash])),
      );
    });
  }

  ids(source = ''): Promise<string[]> {
    return this.inTurn(async () => {
      const isOwn = (label: Label): boolean => label.source === source;
      return [...new Set(this.parts().flatMap((part) => part.rows(isOwn).map((row) => part.labels[row].id)))];
    });
  }

  async upsert(entries: readonly Entry[]): Promise<void> {
    checkEntries(entries, this.model.dimension);
    if (entries.length === 0) return;
    await this.writing(async () => {
      const labels = entries.map(({ source = '', hash = '', ...entry }): Label => ({ ...entry, source, hash }));
      const replaced = labels.flatMap(({ id, modality, source }) => this.places.get(keyOf(modality, id, source)) ?? []);
      const vectors = entries.map(({ vector }) => vector);
      await this.commit([...this.without(replaced), await this.write(labels, vectors)]);
    });
  }

  async remove(ids: readonly string[], source = ''): Promise<number> {
    let count = 0;
    await this.writing(async () => {
      const keys = [...new Set(ids)].flatMap((id) => [keyOf('image', id, source), keyOf('points', id, source)]);
      const removed = keys.flatMap((key) => this.places.get(key) ?? []);
      count = removed.length;
      if (count > 0) await this.commit(this.without(removed));
    });
    return count;
  }

  async close(): Promise<void> {
    await this.last.catch(() => {}); // its caller has the error
    this.resident?.keepOnly([]);
    for (const { files } of this.opened.values()) for (const file of files) await file.close();
    this.opened.clear();
  }

  private parts(): StoredPart[] {
    return [...this.opened.values()].map(({ part }) => part);
  }

  /** Runs `work` after the pending operations, on the latest state. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(async () => {
      await this.refresh();
      return work();
    });
    this.last = result.catch(() => {});
    return result;
  }

  private writing(work: () => Promise<void>): Promise<void> {
    return this.inTurn(() =>
      whileLocked(this.folder, async () => {
        await this.refresh();
        if (!this.cleaned) await removeLeftOvers(this.folder, new Set(this.opened.keys()));
        this.cleaned = true;
        await work();
        await this.merge();
      }),
    );
  }

  /** Catches up with gallery.json. */
  private async refresh(): Promise<void> {
    const path = join(this.folder, MANIFEST);
    for (;;) {
      const state = await stateOf(path);
      if (state !== '' && state === this.state) return;
      const text = await readFile(path, 'utf8');
      if (text === this.text) {
        this.state = state;
        return;
      }
      const { model, next, parts } = parseManifest(text, path);
      checkSameModel(this.folder, model, this.model);
      const isOpen = await this.adopt(parts);
      if (isOpen) {
        this.text = text;
        this.state = state;
        this.next = next;
        this.resident?.keepOnly(this.parts());
        return;
      }
      // A part is missing: merged away by another process since, or lost.
      if ((await readFile(path, 'utf8')) === text) {
        throw new RomoError('file', `${path} lists a part whose files are missing`, 'Copy the whole gallery again.');
      }
    }
  }

  /**
   * Opens parts that are new, forgets what is gone. @returns false where a file of a part is missing; nothing changes
   * then
   */
  private async adopt(listed: readonly ListedPart[]): Promise<boolean> {
    const next = new Map<string, OpenPart>();
    const fresh: OpenPart[] = [];
    try {
      for (const entry of listed) {
        const known = this.opened.get(entry.name);
        const open = known ?? (await openPart(this.folder, entry, this.model.dimension));
        if (!open) return false;
        if (!known) fresh.push(open);
        next.set(entry.name, open);
      }
    } finally {
      if (next.size < listed.length) for (const { files } of fresh) for (const file of files) await file.close();
    }
    for (const [name, { part, files }] of this.opened) {
      if (next.has(name)) continue;
      for (const row of part.rows()) this.forget(part, row);
      for (const file of files) await file.close();
    }
    for (const { name, dead } of listed) {
      const { part } = next.get(name) as OpenPart;
      for (const row of dead) this.forget(part, row);
      part.dead = new Set(dead);
    }
    for (const { part } of fresh) {
      for (const row of part.rows()) {
        const { id, modality, source } = part.labels[row];
        const key = keyOf(modality, id, source);
        if (this.places.has(key)) {
          const what = `holds the ${modality} of ${JSON.stringify(id)} twice`;
          throw new RomoError('file', `${this.folder} ${what}`, 'Copy the whole gallery again, or index again.');
        }
        this.places.set(key, { part, row });
      }
    }
    this.opened = next;
    return true;
  }

  private forget(part: StoredPart, row: number): void {
    const { id, modality, source } = part.labels[row];
    const key = keyOf(modality, id, source);
    const place = this.places.get(key);
    if (place?.part === part && place.row === row) this.places.delete(key);
  }

  /** The list of parts, with these rows marked as dead. */
  private without(places: readonly Place[]): ListedPart[] {
    return this.parts().map((part) => {
      const gone = places.filter((place) => place.part === part).map(({ row }) => row);
      return gone.length === 0 ? part.listed : { ...part.listed, dead: [...part.dead, ...gone].sort((a, b) => a - b) };
    });
  }

  /** Writes a part. @returns its listing, which takes effect with `commit` */
  private write(labels: readonly Label[], vectors: Blocks): Promise<ListedPart> {
    const name = `part-${String(this.next).padStart(6, '0')}`;
    return writePart(this.folder, name, this.model.dimension, this.numbers, labels, vectors);
  }

  /** Makes these parts the gallery and deletes the files of all others. */
  private async commit(listed: readonly ListedPart[]): Promise<void> {
    const parts = listed.filter(({ rows, dead }) => dead.length < rows);
    const manifest = encodeManifest({ model: this.model, numbers: this.numbers, next: this.next + 1, parts });
    await writeWhole(join(this.folder, MANIFEST), manifest);
    const before = [...this.opened.keys()];
    await this.refresh();
    for (const name of before.filter((old) => !this.opened.has(old))) {
      for (const kind of ['safetensors', 'jsonl']) await rm(join(this.folder, `${name}.${kind}`), { force: true });
    }
  }

  /** Merges several small parts of about the same size into one, and rewrites a part that is mostly dead. */
  private async merge(): Promise<void> {
    for (;;) {
      const some = toMerge(this.parts());
      if (some.length === 0) return;
      const labels = some.flatMap((part) => part.rows().map((row) => part.labels[row]));
      const chosen = some.flatMap((part) => part.select(''));
      const merged = await this.write(labels, readRows(chosen));
      const others = this.parts().filter((part) => !some.includes(part));
      await this.commit([...others.map((part) => part.listed), merged]);
    }
  }
}
