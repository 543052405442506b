/** The browser's side: posts the trace, or the error, back to its server. */
import { trace } from './trace.ts';

const answer = await trace().then(
  (result) => ({ trace: result }),
  (error: Error) => ({ error: `${error.message}\n${error.stack}` }),
);
await fetch('/answer', { method: 'POST', body: JSON.stringify(answer) });
