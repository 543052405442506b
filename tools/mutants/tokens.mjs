/** Splits WGSL into tokens, in as much detail as a mutator needs. */

const TOKEN =
  /(?<skip>\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<number>0[xX][0-9a-fA-F]+[iu]?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[fhiu]?)|(?<word>[A-Za-z_]\w*)|(?<sign><<=|>>=|&&|\|\||\+\+|--|->|<<|>>|[-+*/%&|^<>=!]=|[^\s])/gy;

/** Words after which `<` opens a list of types, not a comparison. */
const TEMPLATED = /^(array|atomic|ptr|var|vec[234]|mat[234]x[234]|bitcast)$/;

/**
 * @typedef {object} Token
 * @property {'number' | 'word' | 'sign' | 'template'} kind a template is everything from `<` to its `>`
 * @property {string} text
 * @property {number} start
 * @property {number} end
 * @property {number} depth how many round or square brackets are open before it
 */

/**
 * @param {string} source
 * @returns {Token[]}
 */
export function tokenize(source) {
  const tokens = [];
  let depth = 0;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    const previous = tokens[tokens.length - 1];
    if (source[at] === '<' && previous?.end === at && TEMPLATED.test(previous.text)) {
      const end = templateEnd(source, at);
      tokens.push({ kind: 'template', text: source.slice(at, end), start: at, end, depth });
      TOKEN.lastIndex = end;
      continue;
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    const { skip, number, word } = match.groups;
    if (skip !== undefined) continue;
    const [text] = match;
    if (text === ')' || text === ']') depth--;
    const kind = number !== undefined ? 'number' : word !== undefined ? 'word' : 'sign';
    tokens.push({ kind, text, start: at, end: TOKEN.lastIndex, depth });
    if (text === '(' || text === '[') depth++;
  }
  return tokens;
}

function templateEnd(source, open) {
  let depth = 0;
  for (let at = open; at < source.length; at++) {
    if (source[at] === '<') depth++;
    if (source[at] === '>' && --depth === 0) return at + 1;
  }
  throw new Error(`a type list at offset ${open} is not closed`);
}
