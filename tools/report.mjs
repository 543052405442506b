/** Reading what a test file printed, and adding it up. */

/** Text without the codes that colour a terminal. */
export function plain(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those codes begin with one
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

/**
 * The totals that uvu prints at its end.
 * @returns { total, passed, skipped }, or null where the output has none because the process died before
 */
export function parseTotals(output) {
  const text = plain(output);
  const number = (name) => {
    const matches = [...text.matchAll(new RegExp(`^ *${name}: +(\\d+) *$`, 'gm'))];
    return matches.length > 0 ? Number(matches[matches.length - 1][1]) : null;
  };
  const [total, passed, skipped] = [number('Total'), number('Passed'), number('Skipped')];
  return total === null || passed === null || skipped === null ? null : { total, passed, skipped };
}

/**
 * What a test file's run amounts to.
 * @param run { output, code, signal, timedOut, seconds }
 * @returns { passed, failed, skipped, problem }: problem says in words what went wrong besides tests that failed, else
 *   null; a problem counts as one failure more
 */
export function judge({ output, code, signal, timedOut, seconds }) {
  const totals = parseTotals(output);
  const counted = totals
    ? { passed: totals.passed, failed: totals.total - totals.passed, skipped: totals.skipped }
    : { passed: 0, failed: 0, skipped: 0 };
  const time = `${Math.round(seconds)} s`;
  const problem = problemOf();
  return { ...counted, failed: counted.failed + (problem ? 1 : 0), problem };

  function problemOf() {
    if (timedOut && totals) return `all tests ran, but the process had not ended after ${time}: a device left open?`;
    if (timedOut) return `no end after ${time}: it hangs, and was stopped`;
    if (signal) return `the process was ended by ${signal}`;
    if (!totals) return `the process ended with code ${code} before its tests did`;
    if (totals.total === 0 && totals.skipped === 0) return 'it holds no test';
    if (code !== 0 && counted.failed === 0) return `all tests passed, but the process ended with code ${code}`;
    return null;
  }
}

/** The last line of a test run, which programs read. */
export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
