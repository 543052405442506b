/**
 * Says whether WGSL compiles, in a process of its own that a broken driver may end. Takes { id, codes } as a message,
 * answers { id, valid }.
 */
import { create } from 'webgpu';

const gpu = create([]);
const adapter = await gpu.requestAdapter();
const features = ['subgroups'].filter((feature) => adapter.features.has(feature));
const device = await adapter.requestDevice({ requiredFeatures: features });
device.addEventListener('uncapturederror', () => {}); // the refused modules: asked for below

process.on('message', async ({ id, codes }) => {
  let valid = true;
  for (const code of codes) {
    const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
    valid &&= !messages.some(({ type }) => type === 'error');
  }
  process.send({ id, valid });
});
process.on('disconnect', () => {
  device.destroy();
  process.exit(gpu ? 0 : 1); // named here because it must outlive the device, which does not refer to it
});
process.send({ ready: true });
