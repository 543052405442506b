import type { Plugin } from 'esbuild';

export const plainShaders: Plugin;
