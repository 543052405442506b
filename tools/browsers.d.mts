/** Types of browsers.mjs. */
import type { Machine, Plan } from './systems.mjs';

export declare const browserVariable: string;
export declare function browserPlaces(where: { platform: string; environment: NodeJS.ProcessEnv }): string[];
export declare function findBrowser(where?: {
  platform?: string;
  environment?: NodeJS.ProcessEnv;
  exists?: (path: string) => boolean;
}): string | null;
export declare function findSwiftShader(browser: string): string | null;
export declare function browserPlan(machine: Pick<Machine, 'platform' | 'release' | 'root'>): Plan;
