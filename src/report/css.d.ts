/** A style sheet that goes into a page; the bundler loads it as text. */
declare module '*.css' {
  const source: string;
  export default source;
}
