/** Types of measure.mjs. */
export declare function hostMs(): number;
export declare function median(values: readonly number[]): number;
