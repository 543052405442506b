/** The browser's side: takes the number of steps from the address, and posts the measurements to its server. */
import { openDevice } from '../../src/tensor/device.ts';
import { soak } from './soak.ts';

const hostBytes = () => {
  (globalThis as unknown as { gc(): void }).gc();
  return (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize;
};

async function answer(): Promise<unknown> {
  const gpu = await openDevice();
  return { adapter: gpu.adapterName, held: await soak(gpu, Number(location.hash.slice(1)), hostBytes) };
}

const result = await answer().catch((error: Error) => ({ error: `${error.message}\n${error.stack}` }));
await fetch('/answer', { method: 'POST', body: JSON.stringify(result) });
