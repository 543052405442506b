/** TensorFlow.js from its ES modules, bundled by build.mjs: the build for Node lacks gradients and chained ops. */
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import '@tensorflow/tfjs-backend-webgpu';

export * from '@tensorflow/tfjs-core';
