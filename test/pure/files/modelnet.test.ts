/**
 * Original files of ModelNet, if present. `ROMO_DATA` is the folder that contains `modelnet_off_samples/`; default
 * `../shared/data`.
 */
import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseGeometry } from '../../../src/files/formats.ts';
import { longestSide } from '../../../src/files/geometry.ts';
import { readBytes, readGeometry } from '../../../src/files/read.ts';

import { surfaceArea } from '../../support/files.ts';

const test = suite('modelnet');
const folder = `${process.env.ROMO_DATA ?? '../shared/data'}/modelnet_off_samples`;

/** Vertices and faces, as counted by another program. */
const COUNTS: Record<string, [number, number]> = {
  bathtub_0001: [3514, 3546],
  bathtub_0002: [700, 664],
  bathtub_0003: [14963, 19985],
  bathtub_0004: [2842, 3519],
  bathtub_0005: [18472, 30734],
  bed_0001: [2095, 1807],
  bed_0002: [22627, 35299],
  bed_0003: [2644, 2440],
  chair_0001: [2382, 2234],
  chair_0002: [192, 96],
  chair_0003: [7884, 2628],
  toilet_0345: [6276, 6116],
};

test('the folder that ROMO_DATA names is there', () => {
  if (process.env.ROMO_DATA) assert.ok(existsSync(folder), `${folder} is missing`);
});

if (existsSync(folder)) {
  for (const [name, [vertices, faces]] of Object.entries(COUNTS)) {
    test(name, async () => {
      const path = `${folder}/${name}.off`;
      const mesh = await readGeometry(path);
      assert.equal([mesh.positions.length / 3, (mesh.triangles?.length ?? 0) / 3], [vertices, faces]);
      assert.ok(surfaceArea(mesh) > 0);
      assert.ok(longestSide(mesh) > 0);
      // Counts joined to the header, as in a third of the files, are the same.
      const text = Buffer.from(await readBytes(path)).toString('latin1');
      const glued = await parseGeometry(Buffer.from(text.replace(/^OFF\s+/, 'OFF'), 'latin1'), 'glued.off');
      assert.equal(glued, mesh);
    });
  }
} else console.log(`modelnet: skipped, ${folder} is not there (set ROMO_DATA)`);

test.run();
