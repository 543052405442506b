/** Types of systems.mjs, which is plain JavaScript because the set-up runs before anything is compiled. */

export interface Release {
  id: string;
  idLike: string[];
  version: string;
  codename: string;
  name: string;
}

export interface Source {
  uri: string;
  suites: string[];
  components: string[];
  options: Record<string, string>;
}

export interface Machine {
  platform: string;
  release: Release;
  sources: Source[];
  root: boolean;
}

export type Step = { run: string[]; write?: undefined } | { write: string; text: string; run?: undefined };

export interface Plan {
  why: string[];
  steps: Step[];
  automatic: boolean;
}

export interface AdapterInfo {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  isFallbackAdapter?: boolean;
}

export declare const backportsFile: string;
export declare const driverVariables: string[];
export declare function parseOsRelease(text: string): Release;
export declare function parseSources(files: { path: string; text: string }[]): Source[];
export declare function backportsLine(sources: Source[], codename: string): string | null;
export declare function plan(machine: Machine): Plan;
export declare function shellLine(step: Step, sudo?: boolean): string;
export declare function advice(machine: Machine): string[];
export declare function withoutDriverVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
export declare function adapterKind(info: AdapterInfo): 'software' | 'integrated GPU' | 'GPU';
export const KNOWN_GOOD: { mesa: string; llvm: string };
export function mesaVersions(description: string): { mesa: string; llvm: string | null } | null;
