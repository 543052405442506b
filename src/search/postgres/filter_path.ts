/**
 * Conditions on metadata as a jsonpath predicate over a jsonb column (https://www.postgresql.org/docs/current/functions-json.html),
 * for `metadata @@ path`. The path is one parameter, never part of the statement, and Postgres sends it to other servers
 * (postgres_fdw), which it does not do with the operators that return text.
 *
 * jsonpath calls a comparison with a missing field false; as in filter.ts it must be neither true nor false. So a
 * condition becomes two predicates without negation, one for true and one for false, and `not` exchanges them.
 */
import type { Filter } from '../gallery.ts';
import { checkText } from './postgres_text.ts';

type Value = string | number | boolean;
type Operator = Extract<Filter, { kind: 'compare' }>['operator'];

const OPPOSITE: Readonly<Record<Operator, Operator>> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
};

/** @throws RomoError `gallery` for text that Postgres cannot store, which no entry can have */
export const filterPath = (filter: Filter): string => predicate(filter, true);

function predicate(filter: Filter, wanted: boolean): string {
  switch (filter.kind) {
    case 'compare':
      return comparison(filter.field, wanted ? filter.operator : OPPOSITE[filter.operator], filter.value);
    case 'in':
      return joined(
        filter.values.map((value) => comparison(filter.field, wanted ? '=' : '!=', value)),
        wanted ? '||' : '&&',
      );
    case 'null':
      return wanted ? `!(${fieldOf(filter.field)} != null)` : `${fieldOf(filter.field)} != null`;
    case 'not':
      return predicate(filter.part, !wanted);
    case 'and':
    case 'or':
      return joined(
        filter.parts.map((part) => predicate(part, wanted)),
        (filter.kind === 'and') === wanted ? '&&' : '||',
      );
  }
}

const joined = (parts: readonly string[], operator: '&&' | '||'): string =>
  parts.length === 0
    ? operator === '&&'
      ? '1 == 1'
      : '1 == 0'
    : `(${parts.map((part) => `(${part})`).join(` ${operator} `)})`;

/** Numbers, texts and booleans compare with their own type only. Texts compare by code points. */
function comparison(field: string, operator: Operator, value: Value): string {
  const name = fieldOf(field);
  const test = `${name} ${operator === '=' ? '==' : operator} ${literal(value)}`;
  return `${name}.type() == "${typeof value}" && ${test}`;
}

const fieldOf = (field: string): string => `$.${literal(field)}`;

function literal(value: Value): string {
  if (typeof value === 'string') checkText('the filter', value);
  if (value === Number.POSITIVE_INFINITY) return '1e400'; // beyond every number of JavaScript
  return value === Number.NEGATIVE_INFINITY ? '-1e400' : JSON.stringify(value);
}
