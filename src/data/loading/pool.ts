/** A loader that works in worker threads. Each object is assigned to one thread, which caches it. Node only. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { RomoError } from '../../tensor/error.ts';
import type { Sample, Showing } from '../types.ts';
import type { Check, Loader, LoaderTask, Request } from './loader.ts';
import { type Answer, type Call, checkFromSent, fromSent } from './protocol.ts';

/** The bundle of src/commands/data_worker.ts, next to the program or in a parent folder. */
function workerFile(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < 5; level++, folder = dirname(folder)) {
    const path = join(folder, 'data_worker.js');
    if (existsSync(path)) return path;
  }
  throw new RomoError('file', 'workers: dist/data_worker.js is missing', 'Run npm run build, or use --workers 0.');
}

export class WorkerPool implements Loader {
  private readonly threads: Thread[];

  constructor(task: LoaderTask, count: number) {
    const file = workerFile();
    const share = { ...task, keepBytes: task.keepBytes / count };
    this.threads = Array.from({ length: count }, () => new Thread(file, share));
  }

  async load(requests: readonly Request[], showing: Showing | null): Promise<Sample[]> {
    return this.spread(requests, async (thread, own) => (await thread.ask('load', own, showing)).samples ?? []);
  }

  async check(requests: readonly Request[]): Promise<Check[]> {
    return this.spread(requests, async (thread, own) =>
      ((await thread.ask('check', own, null)).checks ?? []).map(checkFromSent),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }

  /** Sends each request to its thread. Results are in the order of the requests. */
  private async spread<T>(
    requests: readonly Request[],
    ask: (thread: Thread, own: Request[]) => Promise<T[]>,
  ): Promise<T[]> {
    const results = new Array<T>(requests.length);
    const threadOf = ({ object }: Request) => object % this.threads.length;
    await Promise.all(
      this.threads.map(async (thread, number) => {
        const places = requests.flatMap((request, place) => (threadOf(request) === number ? [place] : []));
        if (places.length === 0) return;
        const own = await ask(
          thread,
          places.map((place) => requests[place]),
        );
        places.forEach((place, i) => {
          results[place] = own[i];
        });
      }),
    );
    return results;
  }
}

class Thread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  private calls = 0;
  private ended: Error | null = null;

  constructor(file: string, task: LoaderTask) {
    this.worker = new Worker(file, { workerData: task });
    this.worker.unref(); // an idle worker must not keep the program alive
    this.worker.on('message', (answer: Answer) => this.settle(answer));
    this.worker.on('error', (cause) => this.end(`a loading thread failed: ${cause.message}`));
    this.worker.on('exit', () => this.end('a loading thread has ended'));
  }

  ask(what: Call['what'], requests: readonly Request[], showing: Showing | null): Promise<Answer> {
    if (this.ended) return Promise.reject(this.ended);
    const call = this.calls++;
    this.worker.ref();
    return new Promise((resolve, reject) => {
      this.waiting.set(call, { resolve, reject });
      this.worker.postMessage({ call, what, requests, showing } satisfies Call);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private settle(answer: Answer): void {
    const waiting = this.waiting.get(answer.call);
    this.waiting.delete(answer.call);
    if (this.waiting.size === 0) this.worker.unref();
    if (answer.error) waiting?.reject(fromSent(answer.error));
    else waiting?.resolve(answer);
  }

  private end(message: string): void {
    this.ended ??= new RomoError('worker', message, 'Use --workers 0 to see the cause in the main thread.');
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
  }
}
