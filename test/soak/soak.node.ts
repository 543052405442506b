/** Prints the memory held during a long warm-up in Node, as JSON: `node --expose-gc soak.node.js STEPS`. */
import { openDevice } from '../../src/tensor/device.ts';
import { soak } from './soak.ts';

const gpu = await openDevice();
const hostBytes = () => {
  (globalThis as unknown as { gc(): void }).gc();
  return process.memoryUsage().rss;
};
process.stdout.write(
  JSON.stringify({ adapter: gpu.adapterName, held: await soak(gpu, Number(process.argv[2]), hostBytes) }),
);
gpu.close();
