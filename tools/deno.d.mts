/** Types of deno.mjs. */
export declare function findDeno(modules?: string): string | null;
export declare function denoWords(script: string, ...words: string[]): string[];
