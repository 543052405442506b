/** A style sheet to inline into a page; the bundler loads it as text. */
declare module '*.css' {
  const source: string;
  export default source;
}
