/** Terminal output of a run: progress while it trains, the table at the end. */
import { MultiBar, type SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import type { Figures } from '../romo/figures/figures.ts';
import { CUTS, DIRECTIONS, type Direction, type RetrievalFigures } from '../romo/figures/retrieval.ts';
import type { StepReport } from '../romo/method/stage.ts';
import type { StageName } from '../romo/run/run.ts';

const FORMAT =
  '{stage} [{bar}] {percentage}% | epoch {epoch}/{epochs} | loss {loss}{parts} | {rate} pairs/s | {remaining} left';

/** Progress bars on a terminal, one line per epoch elsewhere, nothing when quiet. */
export class ProgressReport {
  private readonly bars: MultiBar | null;
  private bar: SingleBar | null = null;
  private stage = '';
  private started = 0;
  /** steps of the stage that were done before this program started */
  private before = 0;
  private samples = 0;
  private sum = 0;
  private count = 0;

  constructor(
    private readonly quiet: boolean,
    private readonly stream: NodeJS.WriteStream = process.stdout,
  ) {
    const terminal = stream.isTTY && !quiet;
    this.bars = terminal
      ? new MultiBar({ format: FORMAT, stream, hideCursor: true, barsize: 24, linewrap: false })
      : null;
  }

  line(text: string): void {
    if (this.quiet) return;
    if (this.bars) this.bars.log(`${text}\n`);
    else this.stream.write(`${text}\n`);
  }

  /** @param report `stage` is what the progress is called */
  step(report: Omit<StepReport, 'stage'> & { stage: string }): void {
    if (report.stage !== this.stage) {
      this.stage = report.stage;
      this.started = performance.now();
      this.before = report.step - 1;
      this.samples = 0;
      this.sum = 0;
      this.count = 0;
      this.bar?.stop();
      this.bar = this.bars?.create(report.steps, 0, { ...this.shown(report), stage: report.stage }) ?? null;
    }
    this.samples += report.samples;
    this.sum += report.loss;
    this.count++;
    this.bar?.update(report.step, this.shown(report));
    const stepsPerEpoch = report.steps / report.epochs;
    if (report.step % stepsPerEpoch === 0) {
      if (!this.bars) {
        const { loss, parts, rate, remaining } = this.shown(report);
        this.line(
          `${report.stage} epoch ${report.epoch + 1}/${report.epochs}  loss ${loss}${parts}  ${rate} pairs/s  ${remaining} left`,
        );
      }
      this.sum = 0;
      this.count = 0;
    }
  }

  private shown(report: Omit<StepReport, 'stage'> & { stage: string }): Record<string, string | number> {
    const seconds = Math.max(1e-3, (performance.now() - this.started) / 1000);
    const left = (seconds / (report.step - this.before)) * (report.steps - report.step);
    return {
      stage: report.stage,
      epoch: report.epoch + 1,
      epochs: report.epochs,
      loss: (this.count > 0 ? this.sum / this.count : report.loss).toFixed(4),
      parts:
        report.supervision === report.loss // a loss without parts
          ? ''
          : ` (supervision ${report.supervision.toFixed(3)}, pairs ${report.invariance.toFixed(3)})`,
      rate: (this.samples / seconds).toFixed(1),
      remaining: duration(left),
    };
  }

  /** Restarts rate and time-left estimates when training resumes. */
  restart(): void {
    this.stage = '';
  }

  stop(): void {
    this.bar?.stop();
    this.bars?.stop();
  }
}

/** Seconds as 42 s or 3 min 05 s. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** Names of the stages in the table. */
export const STAGE_NAMES: Readonly<Record<StageName, string>> = {
  untrained: 'untrained networks',
  kmeans: 'k-means on raw data',
  ssm: 'after ssm (warm-up)',
  rdl: 'after rdl (robust)',
};

const WITHOUT_LABELS =
  'No labels: mAP and cluster accuracy are left out. "partner found" is the mean of 1 / (rank of the partner); 1 is best.';

/** The table of figures; `seconds` for the stages that have them. */
export function figuresTable(
  stages: Record<StageName, Figures>,
  seconds: Partial<Record<StageName, number>> = {},
): string {
  const rows = Object.entries(stages) as [StageName, Figures][];
  const hasLabels = rows.every(([, { hit }]) => hit === 'class');
  const measure = hasLabels ? 'mAP' : 'partner found';
  const table = new Table({
    head: [
      'stage',
      `${measure} image -> 3D`,
      `${measure} 3D -> image`,
      hasLabels ? 'cluster accuracy' : [],
      'seconds',
    ].flat(),
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const [name, { imageToPoints, pointsToImage, clusterAccuracy }] of rows) {
    const time = seconds[name];
    const cells = [imageToPoints, pointsToImage, clusterAccuracy].flatMap((value) => value?.toFixed(4) ?? []);
    table.push([STAGE_NAMES[name], ...cells, time === undefined ? '' : time.toFixed(1)]);
  }
  return hasLabels ? table.toString() : `${table.toString()}\n${WITHOUT_LABELS}`;
}

/** The table of retrieval figures, one row per kind of query. */
export function retrievalTable(figures: Readonly<Record<Direction, RetrievalFigures>>): string {
  const cuts = CUTS.map((cut) => `recall@${cut}`);
  const table = new Table({
    head: ['query -> answers', 'mAP', 'mAP@10', ...cuts],
    colAligns: ['left', 'right', 'right', ...cuts.map(() => 'right' as const)],
    style: { head: [], border: [] },
  });
  for (const [direction, { meanAveragePrecision, averagePrecisionAt, recallAt }] of Object.entries(figures)) {
    const values = [meanAveragePrecision, averagePrecisionAt[10], ...CUTS.map((cut) => recallAt[cut])];
    table.push([DIRECTIONS[direction as Direction], ...values.map((value) => value.toFixed(4))]);
  }
  return table.toString();
}
