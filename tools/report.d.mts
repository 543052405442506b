/** Types of report.mjs. */

export interface FileRun {
  output: string;
  code: number | null;
  signal: string | null;
  timedOut: boolean;
  seconds: number;
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export declare function plain(text: string): string;
export declare function parseTotals(output: string): { total: number; passed: number; skipped: number } | null;
export declare function judge(run: FileRun): Counts & { problem: string | null };
export declare function summaryLine(counts: Counts): string;
