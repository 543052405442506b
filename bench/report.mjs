/** Turns times into medians, ratios and verdicts; writes the terminal's table, RESULTS.md and its JSON. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { cell, implementationsOf, targetText } from './cells.mjs';
import { checkNumber, deviation } from './check.mjs';
import { growthText, resultsText } from './markdown.mjs';
import { median } from './measure.mjs';

/** Judges one workload: medians, ratios to ours, comparison of outputs, targets. */
export function judgeRow(workload, results, { adapter }) {
  const { ours } = results;
  const row = { workload: workload.name, flops: workload.flops, items: workload.items, results: {}, mismatches: [] };
  for (const [name, { times, check, ...rest }] of Object.entries(results)) {
    const entry = { ...rest };
    if (times?.length > 0) {
      Object.assign(entry, {
        median: median(times),
        min: Math.min(...times),
        max: Math.max(...times),
        runs: times.length,
      });
      if (workload.flops) entry.gflops = workload.flops / entry.median / 1e6;
      if (workload.items) entry.perSecond = (1000 * workload.items) / entry.median;
    }
    if (name !== 'ours' && check && ours?.check) {
      entry.deviation = deviation(ours.check, check, workload.tolerances);
      if (!(entry.deviation <= 1)) row.mismatches.push(name);
    }
    entry.check = checkNumber(check);
    row.results[name] = entry;
  }
  for (const entry of Object.values(row.results)) {
    if (entry.median && row.results.ours.median) entry.ratio = entry.median / row.results.ours.median;
  }
  row.targets = targetsOf(workload.targets, row.results, adapter);
  return row;
}

/** Each target as { text, value, limit, met }: met if value <= limit, null if it was not measured. */
function targetsOf(targets, results, adapter) {
  const { ours } = results;
  const list = [];
  const add = (text, value, limit, unit) => {
    const known = Number.isFinite(value) && Number.isFinite(limit);
    list.push({
      text,
      unit,
      value: known ? value : null,
      limit: known ? limit : null,
      met: known ? value <= limit : null,
    });
  };
  const applies = ({ onlyOn }) => !onlyOn || adapter.includes(onlyOn);
  for (const target of targets.faster ?? []) {
    if (!results[target.peer] || !applies(target)) continue;
    const peer = results[target.peer];
    add(`${fraction(target.share)} of ${target.peer}`, ours.median, target.share * peer.median, 'ms');
    list.at(-1).runs = Math.min(ours.runs, peer.runs); // shown where few runs make the verdict weak
  }
  if (targets.ceiling && applies(targets.ceiling)) {
    const { gflops } = targets.ceiling;
    list.push({
      text: '0.75 of the hand-tuned ceiling (Xeon)',
      unit: 'GFLOP/s',
      value: ours.gflops,
      limit: gflops,
      met: ours.gflops >= gflops,
    });
  }
  if (targets.hostMs) add('JavaScript per step', ours.hostMs, targets.hostMs, 'ms');
  if (targets.createdBytes !== undefined) {
    add('allocated per step', ours.createdBytesPerStep, targets.createdBytes, 'bytes');
  }
  for (const { peer, share } of targets.memory ?? []) {
    if (results[peer])
      add(`${share} of ${peer}'s memory`, ours.peakBytes / 2 ** 20, (share * results[peer].peakBytes) / 2 ** 20, 'MiB');
  }
  return list;
}

const fraction = (share) => (share < 0.6 ? `1/${Math.round(1 / share)}` : `${share}`);

export function printTable(rows) {
  const names = implementationsOf(rows);
  const head = ['ms', ...names, 'targets'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const row of rows) {
    table.push([
      row.workload,
      ...names.map((name) => cell(row, name).replaceAll(' ', '\n')),
      row.targets.map(targetText).join('\n'),
    ]);
  }
  console.log(table.toString());
  for (const row of rows) {
    for (const [name, { error }] of Object.entries(row.results)) {
      if (error) console.log(`${row.workload}, ${name}: ${error.split('\n')[0].slice(0, 300)}`);
    }
  }
}

/** Writes one JSON file per kind of run, with the latest run of each adapter, and its Markdown. @returns both paths */
export function writeResults(folder, name, run) {
  mkdirSync(folder, { recursive: true });
  const json = join(folder, `${name}.json`);
  const runs = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : {};
  runs[run.adapter] = run;
  writeFileSync(json, `${JSON.stringify(runs, null, 1)}\n`);
  const text = join(folder, `${name.toUpperCase()}.md`);
  writeFileSync(text, name === 'results' ? resultsText(Object.values(runs)) : growthText(Object.values(runs), name));
  return [text, json];
}
