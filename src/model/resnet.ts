/** The ResNet encoders of images. */
import { maxPool2d } from '../autograd/max_pool2d.ts';
import { globalMeanPool } from '../autograd/reduce.ts';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { at, BatchNorm, Conv2d, type Init, Linear } from './layers.ts';
import { Module } from './module.ts';

abstract class Block extends Module {
  private shortcut: { conv: Conv2d; norm: BatchNorm } | null = null;

  /** Adds the projection of the shortcut, downsample.0 and downsample.1, if size or channels change. */
  protected addShortcut(inChannels: number, outChannels: number, stride: number, init: Init): void {
    if (stride === 1 && inChannels === outChannels) return;
    this.shortcut = {
      conv: this.child(
        'downsample.0',
        new Conv2d(this.gpu, inChannels, outChannels, 1, at(init, 'downsample.0'), { stride }),
      ),
      norm: this.child('downsample.1', new BatchNorm(this.gpu, outChannels)),
    };
  }

  protected skip(x: Tensor): Tensor {
    return this.shortcut ? this.shortcut.norm.forward(this.shortcut.conv.forward(x)) : x;
  }

  abstract forward(x: Tensor): Tensor;
}

/** 3x3, 3x3, added to the shortcut. */
class BasicBlock extends Block {
  static readonly expansion = 1;
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm;
  private readonly conv2: Conv2d;
  private readonly bn2: BatchNorm;

  constructor(gpu: Gpu, inChannels: number, width: number, stride: number, init: Init) {
    super(gpu);
    this.conv1 = this.child('conv1', new Conv2d(gpu, inChannels, width, 3, at(init, 'conv1'), { stride, padding: 1 }));
    this.bn1 = this.child('bn1', new BatchNorm(gpu, width, 0));
    this.conv2 = this.child('conv2', new Conv2d(gpu, width, width, 3, at(init, 'conv2'), { padding: 1 }));
    this.bn2 = this.child('bn2', new BatchNorm(gpu, width, 0));
    this.addShortcut(inChannels, width, stride, init);
  }

  forward(x: Tensor): Tensor {
    const y = this.bn1.forward(this.conv1.forward(x));
    return this.bn2.forward(this.conv2.forward(y), this.skip(x));
  }
}

/** 1x1, 3x3, 1x1 to four times the width, added to the shortcut. */
class Bottleneck extends Block {
  static readonly expansion = 4;
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm;
  private readonly conv2: Conv2d;
  private readonly bn2: BatchNorm;
  private readonly conv3: Conv2d;
  private readonly bn3: BatchNorm;

  constructor(gpu: Gpu, inChannels: number, width: number, stride: number, init: Init) {
    super(gpu);
    this.conv1 = this.child('conv1', new Conv2d(gpu, inChannels, width, 1, at(init, 'conv1')));
    this.bn1 = this.child('bn1', new BatchNorm(gpu, width, 0));
    this.conv2 = this.child('conv2', new Conv2d(gpu, width, width, 3, at(init, 'conv2'), { stride, padding: 1 }));
    this.bn2 = this.child('bn2', new BatchNorm(gpu, width, 0));
    this.conv3 = this.child('conv3', new Conv2d(gpu, width, 4 * width, 1, at(init, 'conv3')));
    this.bn3 = this.child('bn3', new BatchNorm(gpu, 4 * width, 0));
    this.addShortcut(inChannels, 4 * width, stride, init);
  }

  forward(x: Tensor): Tensor {
    const y = this.bn2.forward(this.conv2.forward(this.bn1.forward(this.conv1.forward(x))));
    return this.bn3.forward(this.conv3.forward(y), this.skip(x));
  }
}

/** Sizes of a ResNet. */
export interface ResNetOptions {
  /** channels of the image: 3, or 1 for grey */
  inChannels: number;
  /** length of the embedding */
  outChannels: number;
  /**
   * 18, 34, 50 or 101 as in torchvision; `small` for images of about 20 to 64 pixels: a 3x3 stem of stride 2, no
   * pooling
   */
  depth: 18 | 34 | 50 | 101 | 'small';
  /** channels of the first stage; default 64, doubled at each stage */
  width?: number;
  /** blocks per stage; default by depth, [1, 1, 1, 1] for `small` */
  blocks?: readonly number[];
}

const BLOCKS = { 18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], small: [1, 1, 1, 1] };

/**
 * ResNet (He et al. 2016): images [B, H, W, inChannels] to vectors [B, outChannels]. Names as in torchvision, the head
 * as in RoMo: global average pool, `fc` to the embedding, batch norm `bn_fc`, ReLU.
 */
export class ResNet extends Module {
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm;
  private readonly pool: boolean;
  private readonly blocks: Block[] = [];
  private readonly fc: Linear;
  private readonly bnFc: BatchNorm;

  /** @throws RomoError `option` if the depth is unknown */
  constructor(
    gpu: Gpu,
    { inChannels, outChannels, depth, width = 64, blocks = BLOCKS[depth] }: ResNetOptions,
    init: Init,
  ) {
    super(gpu);
    if (!(depth in BLOCKS)) throw new RomoError('option', `ResNet: depth ${depth}`, 'Choose 18, 34, 50, 101 or small.');
    const small = depth === 'small';
    const kind = depth === 50 || depth === 101 ? Bottleneck : BasicBlock;
    this.pool = !small;
    const stem = small ? { stride: 2, padding: 1 } : { stride: 2, padding: 3 };
    this.conv1 = this.child('conv1', new Conv2d(gpu, inChannels, width, small ? 3 : 7, at(init, 'conv1'), stem));
    this.bn1 = this.child('bn1', new BatchNorm(gpu, width, 0));
    let channels = width;
    blocks.forEach((count, stage) => {
      for (let index = 0; index < count; index++) {
        const name = `layer${stage + 1}.${index}`;
        const stride = stage > 0 && index === 0 ? 2 : 1;
        const block = new kind(gpu, channels, width * 2 ** stage, stride, at(init, name));
        this.blocks.push(this.child(name, block));
        channels = width * 2 ** stage * kind.expansion;
      }
    });
    this.fc = this.child('fc', new Linear(gpu, channels, outChannels, at(init, 'fc')));
    this.bnFc = this.child('bn_fc', new BatchNorm(gpu, outChannels, 0));
  }

  /** x [B, H, W, inChannels] -> embedding [B, outChannels], not normalised. */
  forward(x: Tensor): Tensor {
    let y = this.bn1.forward(this.conv1.forward(x));
    if (this.pool) y = maxPool2d(y, { kernel: 3, stride: 2, padding: 1 });
    for (const block of this.blocks) y = block.forward(y);
    return this.bnFc.forward(this.fc.forward(globalMeanPool(y)));
  }
}
