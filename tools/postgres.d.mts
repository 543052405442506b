/** Types of postgres.mjs. */
import type { Machine, Plan } from './systems.mjs';

export declare function findPostgres(): string | null;
export declare function postgresPlan(machine: Pick<Machine, 'release' | 'sources' | 'root'>, folder: string): Plan;
