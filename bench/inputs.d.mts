/** Types of inputs.mjs. */
export declare function hashUniform(name: string, shape: number[], scale?: number, shift?: number): Float32Array;
export declare function hashWeights(name: string, shape: number[]): Float32Array;
export declare function hashLabels(name: string, count: number, classes: number): Int32Array;
export declare function hashNeighbours(sizes: { batch: number; points: number; k: number }): Int32Array;
export declare function unitRows(values: Float32Array, columns: number): Float32Array;
export declare function permute(data: Float32Array, shape: number[], order: number[]): Float32Array;
export declare const TO_HWIO: number[];
export declare const TO_OIHW: number[];
