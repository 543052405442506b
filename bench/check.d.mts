/** Types of check.mjs. */
export declare function digest(values: ArrayLike<number>): { rms: number; elements: number[] };
export declare function sampleRows(indices: ArrayLike<number>, k: number): number[][];
