/**
 * The ops in Deno, whose WebGPU is that of Firefox (wgpu, naga): all in one process, because starting one costs more than
 * most of these tests. `npm run test:wgpu` runs all tests of gpu and parity there.
 */
import '../gpu/batch_norm.test.ts';
import '../gpu/compile.test.ts';
import '../gpu/concat.test.ts';
import '../gpu/conv2d.test.ts';
import '../gpu/edge_conv.test.ts';
import '../gpu/gather.test.ts';
import '../gpu/kmeans.test.ts';
import '../gpu/knn.test.ts';
import '../gpu/l2_normalize.test.ts';
import '../gpu/losses.test.ts';
import '../gpu/matmul.test.ts';
import '../gpu/max_pool2d.test.ts';
import '../gpu/memory.test.ts';
import '../gpu/memory_bank.test.ts';
import '../gpu/pointwise.test.ts';
import '../gpu/random.test.ts';
import '../gpu/reduce.test.ts';
import '../gpu/replay.test.ts';
import '../gpu/reshape.test.ts';
import '../gpu/reverse_graph.test.ts';
import '../gpu/search.test.ts';
import '../gpu/self_labels.test.ts';
import '../gpu/optimizers.test.ts';
import '../gpu/softmax.test.ts';
