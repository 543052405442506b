/** The text of table cells, for the terminal and Markdown. */

/** Three significant digits; integers from 1000 on. */
export function short(value) {
  if (value === null || value === undefined) return '';
  return value >= 1000 ? value.toFixed(0) : `${Number(value.toPrecision(3))}`;
}

export const targetText = ({ text, unit, value, limit, met }) =>
  met === null ? `${text}: not measured` : `${text}: ${short(value)} of ${short(limit)} ${unit}${met ? '' : ' MISSED'}`;

/** `ms [min..max] xRATIO`, or `error` or `WRONG`. */
export function cell(row, name) {
  const entry = row.results[name];
  if (!entry) return '';
  if (entry.error) return 'error';
  if (!entry.median) return '-';
  const ratio = name === 'ours' ? '' : ` x${short(entry.ratio)}`;
  const wrong = row.mismatches.includes(name) ? ' WRONG' : '';
  const few = entry.runs < 7 ? ` n=${entry.runs}` : '';
  return `${short(entry.median)} [${short(entry.min)}..${short(entry.max)}]${few}${ratio}${wrong}`;
}

export const implementationsOf = (rows) => [...new Set(rows.flatMap((row) => Object.keys(row.results)))];
