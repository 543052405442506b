/** All methods that are compared: one line per file, in any order. */
export { barlowTwins } from './methods/barlow_twins.ts';
export { kmeansRaw, oracle, untrained } from './methods/baselines.ts';
export { crossPoint } from './methods/crosspoint.ts';
export { deepCca } from './methods/deep_cca.ts';
export { deepCluster } from './methods/deep_cluster.ts';
export { iic } from './methods/iic.ts';
export { ccaFeatures, ccaRaw, plsFeatures, plsRaw } from './methods/linear.ts';
export { crossEntropy, gce, mae, mrl, sce } from './methods/noise_robust.ts';
export { ntXent } from './methods/nt_xent.ts';
export {
  romoPaper,
  romoPaperNoClip,
  romoPaperNoMlm,
  romoPaperNoRdl,
  romoPaperNoSsm,
  romoRobust,
  romoRobustNoClip,
  romoRobustNoMlm,
  romoRobustNoRdl,
  romoRobustNoSsm,
} from './methods/romo.ts';
export { scan } from './methods/scan.ts';
export { swav } from './methods/swav.ts';
export { ucch } from './methods/ucch.ts';
