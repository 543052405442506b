/** A loading thread: answers calls of src/data/loading/pool.ts, one at a time. Built as dist/data_worker.js. */
import { parentPort, workerData } from 'node:worker_threads';
import { LocalLoader } from '../data/loading/loader.ts';
import { type Answer, type Call, checkToSent, toSent } from '../data/loading/protocol.ts';

const loader = new LocalLoader(workerData);
let queue = Promise.resolve();

parentPort?.on('message', (call: Call) => {
  queue = queue.then(async () => {
    const answer = await answerTo(call).catch((cause: Error): Answer => ({ call: call.call, error: toSent(cause) }));
    // Augmented arrays are new and are transferred; arrays that are kept here are copied.
    const moved = call.showing
      ? (answer.samples ?? []).flatMap(({ image, cloud }) => [image.buffer, cloud.buffer])
      : [];
    parentPort?.postMessage(answer, moved as ArrayBuffer[]);
  });
});

async function answerTo({ call, what, requests, showing }: Call): Promise<Answer> {
  if (what === 'check') return { call, checks: (await loader.check(requests)).map(checkToSent) };
  return { call, samples: await loader.load(requests, showing) };
}
