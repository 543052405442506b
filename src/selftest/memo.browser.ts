/**
 * What is remembered of self-tests in a browser and in Deno: an entry of the origin's cache, because workers have no
 * localStorage. Node: memo.node.ts.
 */
import type { Outcome } from './selftest.ts';

const PLACE = 'romo-self-tests';
const ADDRESS = 'https://romo.invalid/self-tests.json'; // never requested: only the name of the entry

/** The versions that kernels depend on, apart from the adapter's: the browser's or Deno's. */
export const environment = (): string => navigator.userAgent;

/** Outcomes by key; none where storage is off. */
export async function recall(): Promise<Record<string, Outcome>> {
  try {
    const found = await (await caches.open(PLACE)).match(ADDRESS);
    return found ? await found.json() : {};
  } catch {
    return {};
  }
}

/** Best effort: without it, the next page tests again. */
export async function remember(outcomes: Record<string, Outcome>): Promise<void> {
  try {
    await (await caches.open(PLACE)).put(ADDRESS, new Response(JSON.stringify(outcomes)));
  } catch {} // storage is off or full
}
