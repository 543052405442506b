/**
 * Conditions on metadata as SQL over a jsonb column `metadata`. Fields and values are parameters, never part of the
 * statement's text. True, false and unknown are as in filter.ts: `case` without `else` is null where the types differ.
 */
import type { Filter } from '../gallery.ts';
import { checkText } from './postgres_text.ts';

type Value = string | number | boolean;

/** jsonb's name of each type, and how its values are compared. */
const TYPES = {
  string: { json: 'string', cast: 'text', collate: ' collate "C"' },
  number: { json: 'number', cast: 'numeric', collate: '' },
  boolean: { json: 'boolean', cast: 'boolean', collate: '' },
} as const;

export interface SqlCondition {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * @param first number of the first parameter
 * @throws RomoError `gallery` for text that Postgres cannot store, which no entry can have
 */
export function filterSql(filter: Filter, first: number): SqlCondition {
  const values: unknown[] = [];
  const parameter = (value: unknown, cast: string): string => {
    for (const text of [value].flat()) if (typeof text === 'string') checkText('the filter', text);
    values.push(value);
    return `$${first + values.length - 1}::${cast}`;
  };
  return { text: condition(filter, parameter), values };
}

type Parameter = (value: unknown, cast: string) => string;

function condition(filter: Filter, parameter: Parameter): string {
  switch (filter.kind) {
    case 'compare': {
      const operator = filter.operator === '!=' ? '<>' : filter.operator;
      return typed(filter.field, filter.value, parameter, (cast) => `${operator} ${parameter(filter.value, cast)}`);
    }
    case 'in': {
      // A list may mix types: each type gets a test of its own, with one array.
      const kinds = new Map<string, Value[]>();
      for (const value of filter.values) kinds.set(typeof value, [...(kinds.get(typeof value) ?? []), value]);
      const parts = [...kinds.values()].map((list) =>
        typed(filter.field, list[0], parameter, (cast) => `= any(${parameter(list.map(String), 'text[]')}::${cast}[])`),
      );
      return joined(parts, 'or', 'false');
    }
    case 'null':
      return `(coalesce(jsonb_typeof(metadata -> ${parameter(filter.field, 'text')}), 'null') = 'null')`;
    case 'not':
      return `(not ${condition(filter.part, parameter)})`;
    case 'and':
    case 'or': {
      const parts = filter.parts.map((part) => condition(part, parameter));
      return joined(parts, filter.kind, String(filter.kind === 'and'));
    }
  }
}

const joined = (parts: readonly string[], word: 'and' | 'or', ofNone: string): string =>
  parts.length === 0 ? ofNone : `(${parts.join(` ${word} `)})`;

/** Tests the field if it has the type of `example`; null otherwise. */
function typed(field: string, example: Value, parameter: Parameter, test: (cast: string) => string): string {
  const { json, cast, collate } = TYPES[typeof example as keyof typeof TYPES];
  const name = parameter(field, 'text');
  return `(case when jsonb_typeof(metadata -> ${name}) = '${json}'
    then (metadata ->> ${name})::${cast}${collate} ${test(cast)} end)`;
}
