/** `node dist/export.js RUN --image FILE --points FILE`: a run's encoders as ONNX models. */
import { exportProgram } from '../export.ts';
import { main } from '../main.ts';

await main(exportProgram());
