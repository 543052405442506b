/** Conditions on metadata: round trip through text, SQL's three truth values, and errors with positions. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatFilter, matches, orderOfTexts, parseFilter } from '../../src/search/filter.ts';
import type { Filter, Metadata } from '../../src/search/gallery.ts';
import { RomoError } from '../../src/tensor/error.ts';

const test = suite('filter');

const texts = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom("'", '"', "''; drop table x --"));
const fields = fc.oneof(fc.constantFrom('a', 'b_2', 'And', 'null', '__proto__', 'constructor'), texts);
const values = fc.oneof(texts, fc.boolean(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());
const operators = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
const plain = { noNullPrototype: true } as const;
const { filter: filters } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.record({ kind: fc.constant('compare'), field: fields, operator: operators, value: values }, plain),
    fc.record(
      { kind: fc.constant('in'), field: fields, values: fc.array(values, { minLength: 1, maxLength: 4 }) },
      plain,
    ),
    fc.record({ kind: fc.constant('null'), field: fields }, plain),
    fc.record(
      {
        kind: fc.constantFrom('and', 'or'),
        parts: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
      },
      plain,
    ),
    fc.record({ kind: fc.constant('not'), part: tie('filter') }, plain),
  ) as fc.Arbitrary<Filter>,
}));

test('a printed condition is read as itself', () => {
  fc.assert(
    fc.property(filters, (filter) => {
      assert.equal(parseFilter(formatFilter(filter)), filter, formatFilter(filter));
    }),
    { numRuns: 500 },
  );
});

test('and binds before or, not before and; parentheses and the spellings of SQL', () => {
  const a: Filter = { kind: 'compare', field: 'a', operator: '=', value: 1 };
  const b: Filter = { kind: 'compare', field: 'b', operator: '!=', value: 'it\'s "so"' };
  const c: Filter = { kind: 'null', field: 'c d"' };
  const text = 'a=1 OR NOT b<>\'it\'\'s "so"\'\nand "c d""" is null';
  assert.equal(parseFilter(text), {
    kind: 'or',
    parts: [a, { kind: 'and', parts: [{ kind: 'not', part: b }, c] }],
  });
  assert.equal(parseFilter('(a = 1 or c = true) and x not in (-.5, 2e3)'), {
    kind: 'and',
    parts: [
      { kind: 'or', parts: [a, { kind: 'compare', field: 'c', operator: '=', value: true }] },
      { kind: 'not', part: { kind: 'in', field: 'x', values: [-0.5, 2000] } },
    ],
  });
  assert.equal(parseFilter('x is not null'), { kind: 'not', part: { kind: 'null', field: 'x' } });
});

const holds = (text: string, metadata: Metadata): boolean => matches(parseFilter(text), metadata);

test('what is unknown is not found, nor is its opposite', () => {
  const entry = { category: 'chair', faces: 120, closed: true, note: null };
  const truths: readonly [string, boolean][] = [
    ["category = 'chair' and faces > 100", true],
    ["category != 'chair'", false],
    ["category in ('lamp', 'chair')", true],
    ["category not in ('lamp', 'sofa')", true],
    ['faces >= 120 and faces <= 120 and not faces < 120', true],
    ['closed = true and closed > false', true],
    ["note = 'x'", false],
    ["note != 'x'", false],
    ["not note = 'x'", false],
    ["note not in ('x')", false],
    ['note is null and missing is null and faces is not null', true],
    ["note = 'x' or faces = 120", true],
    ["not (note = 'x' and faces = 1)", true], // false for any note
    ["not (note = 'x' or faces = 1)", false],
    ["faces = '120'", false], // another type
    ["faces != '120'", false],
    ["not faces in ('120', 1)", false],
    ["faces in ('120', 120)", true],
    ["constructor is null and __proto__ is null and not constructor = 'x'", false],
    ['constructor is null and __proto__ is null', true],
  ];
  for (const [text, expected] of truths) assert.is(holds(text, entry), expected, text);
});

test("De Morgan's laws hold in three values", () => {
  const entries = fc.dictionary(fields, fc.option(values), { maxKeys: 6 });
  const not = (part: Filter): Filter => ({ kind: 'not', part });
  fc.assert(
    fc.property(filters, filters, entries, (a, b, metadata) => {
      const both = not({ kind: 'and', parts: [a, b] });
      const either: Filter = { kind: 'or', parts: [not(a), not(b)] };
      assert.is(matches(both, metadata), matches(either, metadata));
      assert.not(matches(a, metadata) && matches(not(a), metadata));
      assert.is(matches(not(not(a)), metadata), matches(a, metadata));
    }),
    { numRuns: 500 },
  );
});

test('texts are ordered as their bytes in UTF-8', () => {
  const wellFormed = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(wellFormed, wellFormed, (a, b) => {
      assert.is(Math.sign(orderOfTexts(a, b)), Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
    { numRuns: 1000 },
  );
  assert.ok(orderOfTexts('\u{1f600}', '\uffee') > 0);
});

test('an error says what is expected and where', () => {
  const faults: readonly [string, RegExp][] = [
    ['', /expected a field.*character 1:.*the end/],
    ['category =', /expected a value, at character 11/],
    ['category = chair', /single quotes.*character 12: category = {2}>>> chair/],
    ["category 'chair'", /expected =, !=.*character 10/],
    ["category = 'chair", /quote ' has no end.*character 12/],
    ['"category = 1', /quote " has no end.*character 1:/],
    ['a = 1 b = 2', /expected and, or, or the end, at character 7/],
    ['(a = 1', /expected \), at character 7/],
    ['a in ()', /expected a value, at character 7/],
    ['a in (1,)', /expected a value/],
    ['a in 1', /expected \(/],
    ['a is 1', /expected null/],
    ['a = null', /is null/],
    ['a = 1e999', /too large/],
    ['a = 12abc', /"12abc" is not understood/],
    ['a = 1; drop table x', /";" is not understood, at character 6/],
    ['a = -', /"-" is not understood/],
    ['a == 1', /expected a value, at character 4/],
    ['not', /expected a field/],
    ['null = 1', /expected a field/],
    [`${'('.repeat(100_000)}a = 1`, /more than 100 nested conditions/],
    [`${'not '.repeat(100_000)}a = 1`, /more than 100 nested conditions/],
  ];
  for (const [text, pattern] of faults) {
    try {
      parseFilter(text);
    } catch (error) {
      assert.instance(error, RomoError, String(error));
      assert.is((error as RomoError).code, 'filter');
      assert.match((error as RomoError).message, pattern);
      continue;
    }
    assert.unreachable(`"${text.slice(0, 40)}" was read`);
  }
});

test('any text is read or refused with a RomoError', () => {
  const pieces = fc.constantFrom(
    ...[
      'a',
      ' ',
      '=',
      '<',
      '>',
      '!',
      "'",
      '"',
      '(',
      ')',
      ',',
      '1',
      '.',
      '-',
      'e',
      'in',
      'is',
      'not',
      'null',
      'or',
      'and',
      '\0',
    ],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 25 }), (parts) => {
      const text = parts.join('');
      let filter: Filter;
      try {
        filter = parseFilter(text);
      } catch (error) {
        assert.instance(error, RomoError);
        return;
      }
      assert.equal(parseFilter(formatFilter(filter)), filter);
    }),
    { numRuns: 2000 },
  );
});

test.run();
