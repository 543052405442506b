/**
 * The mutants of a WGSL file: every way to change one thing in a function's body or in a constant's value.
 *
 * It leaves alone comments, bindings, `override`, `alias` and `struct` lines, attributes, parameter lists, and everything
 * between the angle brackets of a type. The compiler decides whether a mutant is valid WGSL.
 */
import { tokenize } from './tokens.mjs';

/** The kinds of change, as the report counts them. */
export const KINDS = ['operator', 'bound', 'constant', 'variable', 'sign', 'guard', 'statement'];

const SWAPS = {
  operator: {
    '+': ['-'],
    '-': ['+'],
    '*': ['/', '+'],
    '/': ['*'],
    '%': ['/'],
    '&&': ['||'],
    '||': ['&&'],
    '&': ['|'],
    '|': ['&'],
    '^': ['&'],
    '<<': ['>>'],
    '>>': ['<<'],
    '+=': ['-=', '='],
    '-=': ['+=', '='],
    '*=': ['/=', '='],
    '/=': ['*=', '='],
    '++': ['--'],
    '--': ['++'],
  },
  bound: {
    '<': ['<=', '>'],
    '<=': ['<', '>'],
    '>': ['>=', '<'],
    '>=': ['>', '<'],
    '==': ['!='],
    '!=': ['=='],
    min: ['max'],
    max: ['min'],
    any: ['all'],
    all: ['any'],
  },
};
const BLOCK_WORDS = new Set(['if', 'else', 'for', 'while', 'switch', 'case', 'default', 'return', 'loop']);
const NOT_OPERANDS = new Set([...BLOCK_WORDS, 'let', 'var', 'const', 'continue', 'break', 'true', 'false']);
const LARGEST_U32 = 0xffffffff;
const LARGEST_F32 = 3.4028234e38;

/**
 * @typedef {object} Mutant
 * @property {string} file name of the WGSL file, without its folder
 * @property {string} scope the enclosing function, or `const`
 * @property {string} kind one of KINDS
 * @property {number} line counted from 1
 * @property {string} change the line, with `{before => after}` where it differs
 * @property {string} text the whole file with the change
 */

/**
 * All mutants of a file, in source order.
 * @param {string} file
 * @param {string} source
 * @returns {Mutant[]}
 */
export function mutantsOf(file, source) {
  const tokens = tokenize(source);
  const fields = uniformFields(source);
  const mutants = [];
  for (const region of regions(tokens)) {
    for (const [kind, start, end, replacement] of changes(tokens, region, source, fields)) {
      mutants.push(mutant(file, source, region.name, kind, start, end, replacement));
    }
  }
  return mutants;
}

function mutant(file, source, scope, kind, start, end, replacement) {
  const lineStart = source.lastIndexOf('\n', start - 1) + 1;
  const after = source.indexOf('\n', end);
  const lineEnd = after < 0 ? source.length : after;
  const middle = `{${source.slice(start, end)} => ${replacement}}`;
  const withoutComment = source.slice(end, lineEnd).replace(/\/\/.*$/, '');
  return {
    file,
    scope,
    kind,
    line: source.slice(0, start).split('\n').length,
    change: (source.slice(lineStart, start) + middle + withoutComment).replace(/\s+/g, ' ').trim(),
    text: source.slice(0, start) + replacement + source.slice(end),
  };
}

function uniformFields(source) {
  const body = /struct Sizes \{([^}]*)\}/.exec(source)?.[1] ?? '';
  return [...body.matchAll(/(\w+)\s*:/g)].map(([, name]) => name);
}

/** Yields function bodies, with their parameters' names, and values of module constants, as ranges [first, last) of tokens. */
function* regions(tokens) {
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i].text === 'fn') {
      const open = i + 2;
      const close = matching(tokens, open);
      const first = tokens.findIndex((token, at) => at > close && token.text === '{');
      const last = matching(tokens, first);
      const parameters = [];
      for (let at = open; at < close; at++) if (tokens[at + 1].text === ':') parameters.push(tokens[at].text);
      yield { name: tokens[i + 1].text, first: first + 1, last, parameters };
      i = last;
    } else if (tokens[i].text === 'const') {
      const last = tokens.findIndex((token, at) => at > i && token.text === ';');
      yield { name: 'const', first: i + 3, last, parameters: [] };
      i = last;
    }
  }
}

/** Index of the bracket that closes the one at `open`. */
function matching(tokens, open) {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if ('([{'.includes(tokens[at].text)) depth++;
    if (')]}'.includes(tokens[at].text) && --depth === 0) return at;
  }
  throw new Error(`a bracket at offset ${tokens[open].start} is not closed`);
}

/** Yields [kind, start, end, replacement] for each change inside a region. */
function* changes(tokens, { first, last, parameters }, source, fields) {
  const locals = [...parameters];
  for (let at = first; at < last; at++) {
    const token = tokens[at];
    const { text, start, end } = token;
    const before = tokens[at - 1];
    if (token.kind === 'number') {
      for (const other of otherNumbers(text)) yield ['constant', start, end, other];
    } else if (token.kind === 'word') {
      if (
        ['let', 'var', 'const'].includes(before.text) ||
        (before.kind === 'template' && tokens[at - 2].text === 'var')
      ) {
        locals.push(text);
      } else {
        yield* wordChanges(tokens, at, source, locals, fields);
      }
      if (startsStatement(tokens, at)) {
        const semicolon = tokens.findIndex((other, i) => i > at && other.text === ';');
        yield ['statement', start, tokens[semicolon].start, ''];
      }
    } else {
      yield* operatorChanges(tokens, at);
    }
  }
}

function* wordChanges(tokens, at, source, locals, fields) {
  const { text, start, end } = tokens[at];
  const called = tokens[at + 1].text === '(';
  if (tokens[at - 1].text === '.') {
    const siblings = tokens[at - 2].text === 'sizes' ? fields : /^[xyzw]$/.test(text) ? ['x', 'y', 'z', 'w'] : [];
    for (const other of siblings) if (other !== text) yield ['variable', start, end, other];
  } else if (called && (text === 'select' || text === 'mix')) {
    const [a, b] = callArguments(tokens, at + 1);
    const between = source.slice(a.end, b.start);
    const [firstText, secondText] = [source.slice(a.start, a.end), source.slice(b.start, b.end)];
    if (firstText !== secondText) yield ['operator', a.start, b.end, secondText + between + firstText];
  } else if (called && SWAPS.bound[text]) {
    for (const other of SWAPS.bound[text]) yield ['bound', start, end, other];
  } else if (text === 'if') {
    const close = matching(tokens, at + 1);
    for (const value of ['true', 'false']) yield ['guard', tokens[at + 1].end, tokens[close].start, value];
  } else if (!called && locals.includes(text)) {
    for (const other of new Set(locals)) if (other !== text) yield ['variable', start, end, other];
  }
}

function* operatorChanges(tokens, at) {
  const { text, start, end } = tokens[at];
  const [before, after] = [tokens[at - 1], tokens[at + 1]];
  const isOperand = before.kind === 'number' || before.text === ')' || before.text === ']';
  const binary = isOperand || (before.kind === 'word' && !NOT_OPERANDS.has(before.text));
  if (!binary) {
    // A pointer's `*` and `&` are not operators here.
    if (text === '-' || text === '!') yield ['sign', start, end, ''];
    return;
  }
  const neutral = (value) =>
    [before, after].some((token) => token.kind === 'number' && Number.parseFloat(token.text) === value);
  if (['+', '-'].includes(text) && neutral(0)) return;
  for (const kind of ['operator', 'bound']) {
    for (const other of SWAPS[kind][text] ?? []) {
      if (['*', '/'].includes(text) && ['*', '/'].includes(other) && neutral(1)) continue;
      yield [kind, start, end, other];
    }
  }
}

/** Does this word start an assignment, an increment or a call statement? */
function startsStatement(tokens, at) {
  if (BLOCK_WORDS.has(tokens[at].text) || NOT_OPERANDS.has(tokens[at].text)) return false;
  return [';', '{', '}'].includes(tokens[at - 1].text) && tokens[at].depth === 0;
}

/** The first two arguments of the call whose bracket is at `open`, as { start, end } in the text. */
function callArguments(tokens, open) {
  const close = matching(tokens, open);
  const found = [];
  let depth = 0;
  let first = open + 1;
  for (let at = open + 1; at <= close; at++) {
    if (depth === 0 && (tokens[at].text === ',' || at === close)) {
      found.push({ start: tokens[first].start, end: tokens[at - 1].end });
      first = at + 1;
    } else if ('([{'.includes(tokens[at].text)) depth++;
    else if (')]}'.includes(tokens[at].text)) depth--;
  }
  return found;
}

/** For an integer, its neighbours. For a float, zero (or one), the negative and one more, if f32 can tell them apart. */
function otherNumbers(text) {
  if (/^\d*\.|^\d+[eE]|f$/.test(text) && !text.startsWith('0x')) {
    const value = Number.parseFloat(text);
    const others = value === 0 ? [1] : [0, -value, value + 1];
    return others
      .filter((other) => Math.abs(other) <= LARGEST_F32 && Math.fround(other) !== Math.fround(value))
      .map((other) => (Number.isInteger(other) && Math.abs(other) < 1e15 ? other.toFixed(1) : String(other)))
      .map((other) => (other.startsWith('-') ? `(${other})` : other));
  }
  const [, digits, suffix] = /^(0[xX][0-9a-fA-F]+|\d+)([iu]?)$/.exec(text);
  const value = Number(digits);
  const others = [value + 1, value - 1].filter((other) => other >= 0 && other <= LARGEST_U32);
  return others.map((other) => `${/^0x/i.test(digits) ? `0x${other.toString(16)}` : other}${suffix}`);
}
