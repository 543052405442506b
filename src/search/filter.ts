/**
 * Conditions on metadata as text, such as `category = 'chair' and faces > 100`, and their evaluation on an entry.
 *
 *     condition  = conjunction { "or" conjunction }
 *     conjunction = negation { "and" negation }
 *     negation   = "not" negation | "(" condition ")" | field test
 *     test       = ("=" | "!=" | "<>" | "<" | "<=" | ">" | ">=") value
 *                | ["not"] "in" "(" value { "," value } ")" | "is" ["not"] "null"
 *     value      = 'text' | number | "true" | "false"
 *     field      = name | "any text"
 *
 * Quotes inside quotes are doubled. Keywords are case-insensitive, fields are case-sensitive.
 *
 * As in SQL, a comparison is true, false or unknown (null), and only entries for which the condition is true are found.
 * It is unknown if the field is null or missing, or if its value has another type than the value compared with. Text is
 * ordered by code points (Postgres: collation "C"); false comes before true. `in` is the `or` of its equalities.
 */
import { RomoError } from '../tensor/error.ts';
import type { Filter, Metadata } from './gallery.ts';

type Value = string | number | boolean;
type Operator = Extract<Filter, { kind: 'compare' }>['operator'];

const WORDS = ['and', 'or', 'not', 'in', 'is', 'null', 'true', 'false'];
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Limit on nested parentheses and negations. */
const MOST_DEPTH = 100;

/**
 * Parses a condition.
 * @throws RomoError `filter`, with what was expected and where
 */
export function parseFilter(text: string): Filter {
  return new Parser(text).parse();
}

/** The inverse of `parseFilter`. Its `and` and `or` need at least two parts, its `in` at least one value. */
export function formatFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'compare':
      return `${formatField(filter.field)} ${filter.operator} ${formatValue(filter.value)}`;
    case 'in':
      return `${formatField(filter.field)} in (${filter.values.map(formatValue).join(', ')})`;
    case 'null':
      return `${formatField(filter.field)} is null`;
    case 'not':
      return `not ${formatPart(filter.part)}`;
    default:
      return filter.parts.map(formatPart).join(` ${filter.kind} `);
  }
}

const formatPart = (part: Filter): string =>
  part.kind === 'and' || part.kind === 'or' ? `(${formatFilter(part)})` : formatFilter(part);

const formatField = (field: string): string =>
  NAME.test(field) && !WORDS.includes(field.toLowerCase()) ? field : `"${field.replaceAll('"', '""')}"`;

const formatValue = (value: Value): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);

/** Is the condition true for the entry? */
export const matches = (filter: Filter, metadata: Metadata): boolean => truth(filter, metadata) === true;

/** true, false, or null for unknown */
function truth(filter: Filter, metadata: Metadata): boolean | null {
  switch (filter.kind) {
    case 'compare':
      return compare(fieldOf(metadata, filter.field), filter.operator, filter.value);
    case 'in': {
      const value = fieldOf(metadata, filter.field);
      return anyOf(filter.values.map((candidate) => compare(value, '=', candidate)));
    }
    case 'null':
      return fieldOf(metadata, filter.field) === null;
    case 'not':
      return opposite(truth(filter.part, metadata));
    case 'or':
      return anyOf(filter.parts.map((part) => truth(part, metadata)));
    case 'and': // by De Morgan's law
      return opposite(anyOf(filter.parts.map((part) => opposite(truth(part, metadata)))));
  }
}

const fieldOf = (metadata: Metadata, field: string): Value | null =>
  Object.hasOwn(metadata, field) ? metadata[field] : null;

const opposite = (value: boolean | null): boolean | null => (value === null ? null : !value);

function anyOf(values: readonly (boolean | null)[]): boolean | null {
  if (values.includes(true)) return true;
  return values.includes(null) ? null : false;
}

function compare(left: Value | null, operator: Operator, right: Value): boolean | null {
  if (left === null || typeof left !== typeof right) return null;
  const order = typeof left === 'string' ? orderOfTexts(left, right as string) : Number(left) - Number(right);
  switch (operator) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/**
 * By code points; JavaScript's own order is by UTF-16, which puts an emoji before some letters. Negative: a comes
 * first.
 */
export function orderOfTexts(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  if (at === a.length || at === b.length) return a.length - b.length;
  const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
  // At the second halves of two surrogate pairs with the same first half, compare the pairs.
  const from = at > 0 && isLow(a.charCodeAt(at)) && isLow(b.charCodeAt(at)) ? at - 1 : at;
  return (a.codePointAt(from) as number) - (b.codePointAt(from) as number);
}

interface Token {
  readonly kind: 'word' | 'field' | 'text' | 'number' | 'sign' | 'end';
  /** keywords in lower case; fields and texts without their quotes */
  readonly value: string;
  /** offset of its first character */
  readonly at: number;
}

const TOKEN = new RegExp(
  [
    '(?<name>[A-Za-z_][A-Za-z0-9_]*)',
    '"(?<field>[^"]*(?:""[^"]*)*)"',
    "'(?<text>[^']*(?:''[^']*)*)'",
    String.raw`(?<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z0-9_.]))`,
    '(?<sign><>|!=|<=|>=|[=<>(),])',
  ].join('|'),
  'y',
);

class Parser {
  private readonly tokens: Token[];
  private next = 0;
  private depth = 0;

  constructor(private readonly text: string) {
    this.tokens = this.cut();
  }

  parse(): Filter {
    const filter = this.list('or');
    if (this.peek().kind !== 'end') throw this.expected('and, or, or the end');
    return filter;
  }

  private cut(): Token[] {
    const tokens: Token[] = [];
    let at = 0;
    for (;;) {
      while (/\s/.test(this.text[at] ?? '')) at++;
      if (at === this.text.length) break;
      TOKEN.lastIndex = at;
      const groups = TOKEN.exec(this.text)?.groups;
      if (!groups) throw this.complain(this.fault(at), at);
      tokens.push({ ...tokenOf(groups), at });
      at = TOKEN.lastIndex;
    }
    return [...tokens, { kind: 'end', value: '', at }];
  }

  private fault(at: number): string {
    if (this.text[at] === "'" || this.text[at] === '"') return `the quote ${this.text[at]} has no end`;
    const [word] = /^[\w.+-]*/.exec(this.text.slice(at)) ?? [''];
    return `"${(word || String.fromCodePoint(this.text.codePointAt(at) as number)).slice(0, 40)}" is not understood`;
  }

  private list(kind: 'or' | 'and'): Filter {
    const part = () => (kind === 'or' ? this.list('and') : this.negation());
    const parts = [part()];
    while (this.takes('word', kind)) parts.push(part());
    return parts.length === 1 ? parts[0] : { kind, parts };
  }

  private negation(): Filter {
    this.depth += 1;
    if (this.depth > MOST_DEPTH) throw this.complain(`more than ${MOST_DEPTH} nested conditions`);
    let filter: Filter;
    if (this.takes('word', 'not')) {
      filter = { kind: 'not', part: this.negation() };
    } else if (this.takes('sign', '(')) {
      filter = this.list('or');
      this.needs('sign', ')');
    } else {
      filter = this.test();
    }
    this.depth -= 1;
    return filter;
  }

  private test(): Filter {
    if (this.peek().kind !== 'field') throw this.expected('a field, not or (');
    const field = this.take().value;
    if (this.takes('word', 'is')) {
      const isNot = this.takes('word', 'not');
      this.needs('word', 'null');
      return isNot ? { kind: 'not', part: { kind: 'null', field } } : { kind: 'null', field };
    }
    if (this.takes('word', 'not')) {
      this.needs('word', 'in');
      return { kind: 'not', part: { kind: 'in', field, values: this.values() } };
    }
    if (this.takes('word', 'in')) return { kind: 'in', field, values: this.values() };
    const { kind, value } = this.peek();
    if (kind !== 'sign' || !/^[=<>!]/.test(value)) throw this.expected('=, !=, <, <=, >, >=, in or is');
    this.take();
    return { kind: 'compare', field, operator: (value === '<>' ? '!=' : value) as Operator, value: this.value() };
  }

  private values(): Value[] {
    this.needs('sign', '(');
    const values = [this.value()];
    while (this.takes('sign', ',')) values.push(this.value());
    this.needs('sign', ')');
    return values;
  }

  private value(): Value {
    const { kind, value } = this.peek();
    if (kind === 'word' && value === 'null') throw this.complain('nothing is equal to null: write is null');
    if (kind === 'field') throw this.complain("a value is expected; text is written in single quotes: 'text'");
    if (kind === 'number' && !Number.isFinite(Number(value))) throw this.complain('the number is too large');
    const isTruth = kind === 'word' && (value === 'true' || value === 'false');
    if (kind !== 'text' && kind !== 'number' && !isTruth) throw this.expected('a value');
    this.take();
    if (kind === 'text') return value;
    return kind === 'number' ? Number(value) : value === 'true';
  }

  private peek(): Token {
    return this.tokens[this.next];
  }

  private take(): Token {
    return this.tokens[this.next++];
  }

  private takes(kind: Token['kind'], value: string): boolean {
    const found = this.peek().kind === kind && this.peek().value === value;
    if (found) this.next += 1;
    return found;
  }

  private needs(kind: Token['kind'], value: string): void {
    if (!this.takes(kind, value)) throw this.expected(value);
  }

  private expected(what: string): RomoError {
    return this.complain(`expected ${what}`);
  }

  private complain(what: string, at = this.peek().at): RomoError {
    const before = this.text.slice(Math.max(0, at - 30), at);
    const after = this.text.slice(at, at + 30) || 'the end';
    return new RomoError(
      'filter',
      `where: ${what}, at character ${at + 1}: ${before} >>> ${after}`,
      `Write it like this: category = 'chair' and faces > 100.`,
    );
  }
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): Omit<Token, 'at'> {
  const { name, field, text, number, sign } = groups;
  if (name !== undefined) {
    const word = name.toLowerCase();
    return WORDS.includes(word) ? { kind: 'word', value: word } : { kind: 'field', value: name };
  }
  if (field !== undefined) return { kind: 'field', value: field.replaceAll('""', '"') };
  if (text !== undefined) return { kind: 'text', value: text.replaceAll("''", "'") };
  return number !== undefined ? { kind: 'number', value: number } : { kind: 'sign', value: sign as string };
}
