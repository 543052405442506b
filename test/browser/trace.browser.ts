/** The page's part: posts the trace, or the error, to the server that it came from. */
import { trace } from './trace.ts';

const answer = await trace().then(
  (result) => ({ trace: result }),
  (error: Error) => ({ error: `${error.message}\n${error.stack}` }),
);
await fetch('/answer', { method: 'POST', body: JSON.stringify(answer) });
