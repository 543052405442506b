/**
 * Says whether WGSL compiles, in its own process, because a broken driver may crash it. Receives { id, codes } as a message
 * and answers { id, valid }.
 */
import { create } from 'webgpu';

const gpu = create([]);
const adapter = await gpu.requestAdapter();
const features = ['subgroups'].filter((feature) => adapter.features.has(feature));
const device = await adapter.requestDevice({ requiredFeatures: features });
device.addEventListener('uncapturederror', () => {}); // for rejected modules, which are queried below

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
  process.exit(gpu ? 0 : 1); // mentions gpu because it must outlive the device, which holds no reference to it
});
process.send({ ready: true });
