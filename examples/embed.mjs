import { Dgcnn, l2Normalize, openDevice, ResNet, randomUniform } from 'romo/encoders';

const gpu = await openDevice();
const init = { seed: 1, path: 'example' };
const imageEncoder = new ResNet(gpu, { inChannels: 1, outChannels: 64, depth: 'small', width: 16 }, init);
const pointEncoder = new Dgcnn(gpu, { outChannels: 64, k: 8, widths: [32, 32, 64] }, init);
imageEncoder.setTraining(false);
pointEncoder.setTraining(false);
const scope = gpu.scope(); // what is made from here on goes back to the pool when it ends
const images = randomUniform(gpu, [2, 32, 32, 1], [3, 4]);
const clouds = randomUniform(gpu, [3, 100, 3], [1, 2]); // any points will do
console.log((await l2Normalize(imageEncoder.forward(images)).read()).length); // [2, 64]
console.log((await l2Normalize(pointEncoder.forward(clouds)).read()).length); // [3, 64]
scope.end();
gpu.close(); // Node ends only after this
