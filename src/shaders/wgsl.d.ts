/** Kernels are plain .wgsl files; the bundler loads them as text. */
declare module '*.wgsl' {
  const source: string;
  export default source;
}
