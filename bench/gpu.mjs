/** WebGPU in Node as the peers expect it in a browser, and counters of the buffers that a device holds. */
import { create, globals } from 'webgpu';

/**
 * Counts a device's buffers from now on. What is neither destroyed nor reachable any more counts as freed only once it has
 * been collected.
 */
export function countBuffers(device) {
  const counters = { created: 0, createdBytes: 0, liveBytes: 0, peakBytes: 0, groups: 0 };
  const collected = new FinalizationRegistry((entry) => release(entry));
  const release = (entry) => {
    counters.liveBytes -= entry.size;
    entry.size = 0;
  };
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    const entry = { size: descriptor.size };
    counters.created++;
    counters.createdBytes += descriptor.size;
    counters.liveBytes += descriptor.size;
    counters.peakBytes = Math.max(counters.peakBytes, counters.liveBytes);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      release(entry);
      destroy();
    };
    collected.register(buffer, entry);
    return buffer;
  };
  const createBindGroup = device.createBindGroup.bind(device);
  device.createBindGroup = (descriptor) => {
    counters.groups++;
    return createBindGroup(descriptor);
  };
  return counters;
}

/** Measures from now on for how long a device has work: from a submit until all that was submitted is done. */
export function countBusy(device) {
  let pending = 0;
  let since = 0;
  let busyMs = 0;
  const submit = device.queue.submit.bind(device.queue);
  device.queue.submit = (buffers) => {
    if (pending++ === 0) since = performance.now();
    submit(buffers);
    device.queue.onSubmittedWorkDone().then(() => {
      if (--pending === 0) busyMs += performance.now() - since;
    });
  };
  return { busyMs: () => busyMs + (pending > 0 ? performance.now() - since : 0) };
}

/** Puts `navigator.gpu` where the peers look for it. `counters()` are those of the device that the peer opened. */
export function installNavigator(adapterName) {
  Object.assign(globalThis, globals);
  const gpu = create(adapterName ? [`adapter=${adapterName}`] : []);
  let counters = null;
  const requestAdapter = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const adapter = await requestAdapter(options);
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice(descriptor);
      counters = countBuffers(device);
      return device;
    };
    return adapter;
  };
  const navigator = { gpu, userAgent: `Node.js/${process.versions.node}`, hardwareConcurrency: 2 };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true, writable: true });
  return { counters: () => counters };
}
