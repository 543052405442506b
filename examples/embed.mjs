import { Dgcnn, l2Normalize, matmul, openDevice, ResNet } from 'romo';

const gpu = await openDevice();
try {
  const init = { seed: 1, path: 'example' };
  const imageEncoder = new ResNet(gpu, { inChannels: 1, outChannels: 64, depth: 'small', width: 16 }, init);
  const pointEncoder = new Dgcnn(gpu, { outChannels: 64, k: 8, widths: [32, 32, 64] }, init);
  imageEncoder.setTraining(false);
  pointEncoder.setTraining(false);
  const scope = gpu.scope(); // what is made from here on goes back to the pool when it ends
  const images = gpu.tensor(new Float32Array(2 * 32 * 32).fill(0.5), [2, 32, 32, 1]);
  const clouds = gpu.tensor(Float32Array.from({ length: 3 * 100 * 3 }, (_, i) => ((i * 37) % 101) / 101), [3, 100, 3]);
  const unitImages = l2Normalize(imageEncoder.forward(images)); // [2, 64]
  const unitClouds = l2Normalize(pointEncoder.forward(clouds)); // [3, 64]
  const cosines = matmul(unitImages, unitClouds, { transposeB: true }); // [2, 3]
  console.log(await cosines.read());
  scope.end();
} finally {
  gpu.close();
}
