/**
 * The part of the API that embeds: encoders and their building blocks, without losses, optimisers or training stages.
 */
export { edgeConv } from './autograd/edge_conv.ts';
export { knn } from './autograd/knn.ts';
export { l2Normalize } from './autograd/l2_normalize.ts';
export { matmul } from './autograd/matmul.ts';
export { randomNormal, randomUniform } from './autograd/random.ts';
export { decodeSafetensors, encodeSafetensors } from './files/safetensors.ts';
export { Dgcnn, type DgcnnOptions } from './model/dgcnn.ts';
export { BatchNorm, Conv2d, type Init, Linear } from './model/layers.ts';
export { type Floats, Module, type StateDict } from './model/module.ts';
export { PointNet } from './model/pointnet.ts';
export { ResNet, type ResNetOptions } from './model/resnet.ts';
export { type Config, PRESETS } from './romo/config.ts';
export { embedClouds, embedImages } from './romo/embedding.ts';
export { Encoders } from './romo/encoders.ts';
export { type ModelContents, readModel } from './romo/run/model_contents.ts';
export { type LoadedEncoders, loadEncoders } from './romo/run/model_file.ts';
export { type DeviceOptions, type Gpu, openDevice } from './tensor/device.ts';
export { RomoError } from './tensor/error.ts';
export { isLost } from './tensor/recover.ts';
export type { DType, Tensor, TensorData } from './tensor/tensor.ts';
