export type Files = ReadonlyMap<string, string>;

/** The parts of package.json that say what `#name` and `romo/name` mean. */
export interface Manifest {
  readonly imports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

export const LAYERS: Readonly<Record<string, readonly string[]>>;
export function readTree(root: string, folders?: readonly string[]): Files;
export function importsIn(text: string): { from: string; lazy: boolean }[];
export function complaints(files: Files, manifest?: Manifest, layers?: typeof LAYERS): string[];
export function sizes(files: Files, manifest?: Manifest): { what: string; lines: number; most: number }[];
