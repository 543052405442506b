/** How much memory a page takes by the kind of machine, and Node by the machine's memory. */
import { totalmem } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryDefaults as inPages } from '../../src/tensor/webgpu.browser.ts';
import { memoryDefaults as inNode } from '../../src/tensor/webgpu.node.ts';

const test = suite('memory defaults');
const MIB = 2 ** 20;

const PHONES = {
  iPhone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Mobile/15E148 Safari/604.1',
  Android:
    'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36',
  iPad: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15',
};
const MAC = PHONES.iPad; // an iPad calls itself a Mac, and has a touch screen

const page = (userAgent: string, more: { maxTouchPoints?: number; deviceMemory?: number } = {}) =>
  inPages({ userAgent, maxTouchPoints: 0, ...more } as Navigator);

test('a phone or tablet: far below what ends a page', () => {
  for (const [name, userAgent] of Object.entries(PHONES)) {
    const { most, pool } = page(userAgent, { maxTouchPoints: 5, deviceMemory: 8 });
    assert.is(most, 1024 * MIB, name);
    assert.is(pool, 256 * MIB, name);
  }
});

test('other machines: no cap, and a quarter of their memory for freed buffers', () => {
  assert.equal(page(MAC), { most: Number.POSITIVE_INFINITY, pool: 2048 * MIB });
  const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36';
  assert.is(page(windows, { deviceMemory: 4, maxTouchPoints: 10 }).pool, 1024 * MIB);
  assert.is(page(windows, { deviceMemory: 4, maxTouchPoints: 10 }).most, Number.POSITIVE_INFINITY);
  assert.is(inNode().pool, Math.min(4096 * MIB, totalmem() / 4));
});

test.run();
