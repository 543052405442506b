/** WebGPU in Node as the peers expect it in a browser, and counters of a device's buffers. */
import { create, globals } from 'webgpu';

/**
 * Counts a device's buffers from now on. A buffer that is unreachable but not destroyed counts as live until collected.
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

/** Measures from now on how long a device is busy: from a submit until all submitted work is done. */
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

/** Provides `navigator.gpu` for the peers. `counters()` returns the counters of the device that the peer opened. */
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
