/** The report of a run: a line per mutant, a table per file, the share, the survivors. */

const WORDS = {
  failed: 'caught',
  timeout: 'caught (hangs)',
  died: 'caught (dies)',
  passed: 'SURVIVED',
  equivalent: 'equivalent',
};

/** A line about one tried mutant. */
export function mutantLine({ mutant, outcome, by, seconds }) {
  const place = `${mutant.file}:${mutant.line} ${mutant.scope}`;
  const how = outcome === 'failed' ? `  by ${by}` : '';
  return `${WORDS[outcome].padEnd(11)} ${place}  ${mutant.change}${how}  ${seconds.toFixed(1)} s`;
}

/** Counts for a list of results; the share is relative to the mutants that are not explained as equivalent. */
export function countsOf(results) {
  const number = (...outcomes) => results.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const caught = number('failed', 'timeout', 'died');
  const equivalent = number('equivalent');
  const counted = results.length - equivalent;
  const stopped = number('timeout', 'died');
  return {
    mutants: results.length,
    caught,
    stopped,
    equivalent,
    survived: number('passed'),
    share: counted > 0 ? caught / counted : 1,
  };
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** A Markdown table of the counts, grouped by a property of the mutants: `file` or `kind`. */
export function tableBy(results, property) {
  const names = [...new Set(results.map(({ mutant }) => mutant[property]))].sort();
  const row = (name, own) => {
    const { mutants, caught, equivalent, survived, share } = countsOf(own);
    return `| ${name} | ${mutants} | ${caught} | ${equivalent} | ${survived} | ${percent(share)} |`;
  };
  return [
    `| ${property} | mutants | caught | equivalent | survived | share |`,
    '|---|---|---|---|---|---|',
    ...names.map((name) =>
      row(
        name,
        results.filter(({ mutant }) => mutant[property] === name),
      ),
    ),
    row('all', results),
  ].join('\n');
}

/** The counts and the share in one sentence. */
export function summary(results) {
  const { mutants, caught, stopped, equivalent, survived, share } = countsOf(results);
  return (
    `${mutants} mutants, ${caught} caught (${stopped} of them hung or died), ${equivalent} explained as equivalent, ` +
    `${survived} survived: ${percent(share)} of those that are not equivalent`
  );
}

/** The whole report as Markdown. */
export function markdown(results, { seed, seconds, invalid }) {
  const list = (outcome, line) => {
    const own = results.filter((result) => result.outcome === outcome);
    return own.length > 0 ? own.map(line).join('\n') : 'none';
  };
  const place = ({ mutant }) => `- \`${mutant.file}\`, line ${mutant.line}, \`${mutant.scope}\`: \`${mutant.change}\``;
  return `# Mutants of the kernels, seed ${seed}

${summary(results)}. ${invalid} more draws did not compile and were replaced. ${Math.round(seconds)} s.

${tableBy(results, 'file')}

${tableBy(results, 'kind')}

## Survived

${list('passed', place)}

## Equivalent

${list('equivalent', (result) => `${place(result)}: ${result.by}`)}

## Caught

${results
  .filter(({ outcome }) => ['failed', 'timeout', 'died'].includes(outcome))
  .map((result) => `${place(result)}: ${result.by.split('\n')[0]}`)
  .join('\n')}
`;
}
