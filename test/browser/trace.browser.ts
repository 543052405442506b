/** The browser's side: posts the trace and which kernels compile, or the error, back to its server. */
import { openDevice } from '../../src/tensor/device.ts';
import { compileAll } from '../support/compile.ts';
import { trace } from './trace.ts';

async function work() {
  const gpu = await openDevice();
  const compiled = await compileAll(gpu.device, await (await fetch('/shaders.json')).json());
  gpu.close();
  return { compiled, trace: await trace() };
}

const answer = await work().catch((error: Error) => ({ error: `${error.message}\n${error.stack}` }));
await fetch('/answer', { method: 'POST', body: JSON.stringify(answer) });
