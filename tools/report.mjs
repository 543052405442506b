/** Parses the output of a test file and sums up the results. */

/** Text without terminal colour codes. */
export function plain(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

/**
 * The totals that uvu prints at the end.
 * @returns { total, passed, skipped }, or null if the process died before it printed them
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
 * The result of running a test file.
 * @param run { output, code, signal, timedOut, seconds }
 * @returns { passed, failed, skipped, problem }: problem says what went wrong besides failed tests, or is null; a problem
 *   counts as one more failure
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
    if (timedOut && totals)
      return `all tests ran, but the process was still running after ${time}: was a device left open?`;
    if (timedOut) return `still running after ${time}: it hung and was stopped`;
    if (signal) return `the process was ended by ${signal}`;
    if (!totals) return `the process ended with code ${code} before its tests finished`;
    if (totals.total === 0 && totals.skipped === 0) return 'it contains no tests';
    if (code !== 0 && counted.failed === 0) return `all tests passed, but the process ended with code ${code}`;
    return null;
  }
}

/** The last line of a test run, which programs read. */
export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
