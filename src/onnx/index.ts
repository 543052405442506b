/** The encoders of a model as ONNX models: what `romo/onnx` exports. */
import { temperatureOfRdl } from '../romo/config.ts';
import type { ModelContents } from '../romo/run/model_contents.ts';
import { dgcnn, pointnet } from './clouds.ts';
import { Graph } from './graph.ts';
import { Layers } from './layers.ts';
import { resnet } from './resnet.ts';

/**
 * One encoder as the bytes of an ONNX model (opset 21).
 *
 * Input `images` [batch, C, H, W], values 0..1, or `clouds` [batch, N, 3], prepared as the metadata `preparation` says;
 * ImageNet's normalisation, where the model has it, is in the graph, and so is DGCNN's graph of neighbours. Output
 * `embedding` [batch, d], unit rows. The metadata `provenance` says how the model was trained.
 * @param model from `readModel`
 * @param metadata texts by key, added to the model's own
 * @throws RomoError `state-dict` where the model lacks a layer
 */
export function encodeOnnx(
  model: ModelContents,
  modality: 'image' | 'cloud',
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { embed, preparation } = modality === 'image' ? imageEncoder(model) : cloudEncoder(model);
  const graph = new Graph();
  const layers = new Layers(graph, model.state, modality === 'image' ? 'image.' : 'points.');
  const embedding = pulled(model, layers.normalize(embed(layers)), graph);
  return graph.encode(`romo-${modality}-encoder`, embedding, ['batch', model.config[model.stage].dimension], {
    ...metadata,
    modality,
    similarity: 'the dot product of two embeddings, which are unit vectors: their cosine',
    preparation: JSON.stringify(preparation),
    provenance: JSON.stringify(provenanceOf(model)),
  });
}

/** Unit rows, drawn to the centres of the clusters as in romo/encoders.ts. */
function pulled({ config, stage, state }: ModelContents, rows: string, graph: Graph): string {
  const { rdl } = config;
  if (stage === 'ssm' || !rdl.pull) return rows;
  const layers = new Layers(graph, state, 'centres.');
  const { data, shape } = layers.weight('weight'); // [C, d]
  const centres = graph.constant('centres', Float32Array.from(data), shape);
  const temperature = graph.constant('temperature', Float32Array.of(temperatureOfRdl(config)), []);
  const cosines = graph.node('MatMul', [rows, graph.node('Transpose', [centres], { perm: [1, 0] })]);
  const shares = graph.node('Softmax', [graph.node('Div', [cosines, temperature])], { axis: -1 });
  const pull = graph.constant('pull', Float32Array.of(rdl.pull), []);
  const towards = graph.node('Mul', [graph.node('MatMul', [shares, centres]), pull]);
  return layers.normalize(graph.node('Add', [rows, towards]));
}

/** How an encoder is built, and what its input must undergo. */
interface Encoder {
  readonly embed: (layers: Layers) => string;
  readonly preparation: Readonly<Record<string, unknown>>;
}

function imageEncoder({
  preparation: { imageSize: size, channels, background },
  normalization,
}: ModelContents): Encoder {
  const embed = (layers: Layers) => {
    const { graph } = layers;
    const images = graph.input('images', ['batch', channels, size, size]);
    if (!normalization) return resnet(layers, images);
    const perChannel = (name: 'mean' | 'deviation') =>
      graph.constant(name, Float32Array.from(normalization[name]), [channels, 1, 1]);
    const centred = graph.node('Sub', [images, perChannel('mean')]);
    return resnet(layers, graph.node('Div', [centred, perChannel('deviation')]));
  };
  const shown = normalization ? { ...normalization, by: 'the graph' } : 'none';
  const layout = { size, channels, layout: 'NCHW', range: [0, 1], fit: 'whole, centred', background };
  return { embed, preparation: { ...layout, normalization: shown } };
}

function cloudEncoder({ config, stage, preparation: { points, sampling = 'random', up } }: ModelContents): Encoder {
  const embed = (layers: Layers) => {
    const clouds = layers.graph.input('clouds', ['batch', points, 3]);
    return config.pointEncoder === 'dgcnn' ? dgcnn(layers, clouds, config[stage].k) : pointnet(layers, clouds);
  };
  const normalization = 'mean of the cloud at 0, longest side of its box 1; then points are chosen';
  return { embed, preparation: { points, sampling, coordinates: 'x, y, z', up: 'z', upInFiles: up, normalization } };
}

/** How the model was trained, and whether labels had a part in it. */
function provenanceOf({ config, stage }: ModelContents) {
  const { data, preset, recipe = 'paper', optimizer = 'sgd', seed, train, clusters, weights } = config;
  return {
    // RoMo's training reads none; what it starts from is another matter.
    labelFree: weights ? 'only if the initial weights were trained without labels' : true,
    method: 'RoMo',
    ...{ stage, data, preset, recipe, optimizer, seed },
    trainingPairs: train,
    clusters,
    ...(weights && { initialWeights: weights }),
  };
}
