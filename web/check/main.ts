/** The page that examines the GPU: tables to read, and the same as JSON to attach to a report. */
import { proxy, type Remote, wrap } from 'comlink';
import type { CheckedFamily } from 'romo/check';
import { download, element, hasWebGpu, messageOf, showNoWebGpu, tell } from '../shared/page.ts';
import type { Speed } from './speed.ts';
import type { Adapter, Checker } from './worker.ts';

const status = element('status');
const buttons = ['measure', 'copy', 'save'].map((id) => element<HTMLButtonElement>(id));
const [measure, copy, save] = buttons;

/** The limits that decide what the engine can do; the report has all. */
const DECISIVE = {
  maxBufferSize: 'Largest buffer',
  maxStorageBufferBindingSize: 'Largest binding',
  maxComputeWorkgroupStorageSize: 'Workgroup memory',
  maxComputeInvocationsPerWorkgroup: 'Invocations per workgroup',
  maxStorageBuffersPerShaderStage: 'Storage buffers per kernel',
} as const;

const report: { adapter: Adapter | null; kernels: CheckedFamily[]; speed: Speed[] } = {
  adapter: null,
  kernels: [],
  speed: [],
};

function show(): void {
  element('report').textContent = JSON.stringify(report, null, 2);
}

function addRow(table: string, name: string, value: string, isWrong = false): void {
  const panel = element(table);
  panel.hidden = false;
  const row = (panel.querySelector('table') as HTMLTableElement).insertRow();
  row.classList.toggle('wrong', isWrong);
  const heading = Object.assign(document.createElement('th'), { scope: 'row', textContent: name });
  row.append(heading, Object.assign(document.createElement('td'), { textContent: value }));
}

const bytes = (count: number): string =>
  count >= 2 ** 20 ? `${(count / 2 ** 20).toLocaleString('en')} MiB` : `${(count / 2 ** 10).toLocaleString('en')} KiB`;

function showAdapter(adapter: Adapter): void {
  report.adapter = adapter;
  addRow('adapter', 'Adapter', `${adapter.adapter}${adapter.software ? ' (on the CPU)' : ''}`);
  addRow('adapter', 'Kernels', adapter.backend);
  addRow('adapter', 'Browser', adapter.browser);
  addRow('adapter', 'Features', adapter.features.join(', ') || 'none');
  for (const [limit, name] of Object.entries(DECISIVE)) {
    const value = adapter.limits[limit];
    addRow('adapter', name, /Size$/.test(limit) ? bytes(value) : value.toLocaleString('en'));
  }
  show();
}

function showKernels(checked: CheckedFamily): void {
  report.kernels.push(checked);
  const { use, family, fault, kernels } = checked;
  addRow('kernels', `${family} (${use})`, fault ? `wrong: ${fault}; ${kernels.join(', ')}` : 'right', fault !== null);
  status.textContent = `Examining the kernels: ${report.kernels.length} families so far …`;
  show();
}

function showSpeed(speed: Speed): void {
  report.speed.push(speed);
  addRow('speed', speed.what, `${Number(speed.value.toPrecision(3)).toLocaleString('en')} ${speed.unit}`);
  show();
}

async function examine(): Promise<void> {
  if (!hasWebGpu()) return;
  const checker: Remote<Checker> = wrap(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
  const opened = await checker.open();
  if ('refused' in opened) {
    showNoWebGpu(opened.refused);
    return;
  }
  showAdapter(opened);
  copy.disabled = false;
  save.disabled = false;
  await checker.kernels(proxy(showKernels));
  (document.querySelector('details') as HTMLElement).hidden = false;
  const wrong = report.kernels.filter(({ fault }) => fault).length;
  status.textContent =
    wrong === 0
      ? `Ready: all ${report.kernels.length} families of kernels compute what they should.`
      : `Ready: ${wrong} of ${report.kernels.length} families of kernels compute wrong numbers. Please report it, with the report below.`;
  measure.disabled = false;
  measure.onclick = async () => {
    measure.disabled = true;
    element('speed').querySelector('table')?.replaceChildren();
    report.speed = [];
    status.textContent = 'Measuring …';
    try {
      // `?seconds=5` measures for less.
      await checker.measure(Number(new URLSearchParams(location.search).get('seconds') ?? 30), proxy(showSpeed));
      report.adapter = await checker.describe();
      show();
      status.textContent = 'Ready: measured.';
    } catch (error) {
      tell(messageOf(error));
    } finally {
      measure.disabled = false;
    }
  };
}

copy.onclick = () =>
  navigator.clipboard.writeText(JSON.stringify(report, null, 2)).then(
    () => tell('The report is in the clipboard.'),
    (error) => tell(messageOf(error)),
  );
save.onclick = () => download(new TextEncoder().encode(JSON.stringify(report, null, 2)), 'romo-check.json');
examine().catch((error) => {
  status.textContent = 'The examination failed.';
  tell(messageOf(error));
});
