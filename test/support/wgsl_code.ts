/** Reads WGSL just well enough for the rules of wgsl_rules.ts: functions, blocks, and what differs between invocations. */

export interface Fn {
  readonly name: string;
  readonly parameters: string;
  /** what stands between the parameters and the body, without attributes: `-> f32` */
  readonly result: string;
  readonly body: string;
}

export interface Block {
  /** what stands in the parentheses after the keyword; empty for `loop` */
  readonly head: string;
  readonly body: string;
}

export interface Code {
  /** without comments */
  readonly text: string;
  readonly overrides: ReadonlySet<string>;
  readonly functions: readonly Fn[];
}

export function parse(source: string): Code {
  const text = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
  const overrides = new Set([...text.matchAll(/\boverride\s+(\w+)/g)].map(([, name]) => name));
  const functions = [...text.matchAll(/\bfn\s+(\w+)\s*\(/g)].map((match) => {
    const open = match.index + match[0].length - 1;
    const close = closing(text, open);
    const start = text.indexOf('{', close);
    const result = text.slice(close + 1, start).trim();
    return {
      name: match[1],
      parameters: text.slice(open + 1, close),
      result,
      body: text.slice(start + 1, closing(text, start)),
    };
  });
  return { text, overrides, functions };
}

/** The position of the bracket that closes the one at `open`. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if ('({['.includes(text[at])) depth++;
    else if (')}]'.includes(text[at]) && --depth === 0) return at;
  }
  throw new Error(`no bracket closes the one in: ${text.slice(open, open + 40)}`);
}

/** The statements that a keyword (`for`, `if`) begins, nested ones too. */
export function blocks(text: string, keyword: RegExp): Block[] {
  return [...text.matchAll(keyword)].map((match) => {
    const after = match.index + match[0].length;
    const hasHead = /^\s*\(/.test(text.slice(after));
    const open = hasHead ? text.indexOf('(', after) : after - 1;
    const close = hasHead ? closing(text, open) : open;
    const start = text.indexOf('{', close + 1);
    return { head: hasHead ? text.slice(open + 1, close) : '', body: text.slice(start + 1, closing(text, start)) };
  });
}

export const namesIn = (text: string): string[] => text.match(/(?<![.\w])[A-Za-z_]\w*/g) ?? [];

/** The functions, of those given and of the code's, that call one of `names` directly or through others. */
export function callers({ functions }: Code, names: readonly string[]): Set<string> {
  const found = new Set(names);
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const { name, body } of functions) if (namesIn(body).some((used) => found.has(used))) found.add(name);
  }
  return found;
}

const IS_UNIFORM = /@builtin\((workgroup_id|num_workgroups)\)/;

/** Types of parameters that are the same in a whole workgroup: structs of such built-in values only. */
function uniformTypes({ text }: Code): Set<string> {
  const structs = [...text.matchAll(/\bstruct\s+(\w+)\s*\{([^}]*)\}/g)];
  const isUniform = (fields: string) => fields.split(',').every((field) => !field.trim() || IS_UNIFORM.test(field));
  return new Set(structs.filter(([, , fields]) => isUniform(fields)).map(([, name]) => name));
}

/**
 * The names in a function whose values may differ between the invocations of a workgroup: memory that invocations
 * write, parameters, and what is computed from these or assigned where these decide.
 */
export function nonUniform({ parameters, body }: Fn, code: Code): Set<string> {
  const memory = [...code.text.matchAll(/\bvar\s*<\s*(?:storage|workgroup|private)[^>]*>\s*(\w+)/g)];
  const unknown = callers(
    code,
    memory.map(([, name]) => name),
  );
  const same = uniformTypes(code);
  for (const parameter of parameters.split(/,(?![^<(]*[>)])/)) {
    const [, name, type] = /(\w+)\s*:\s*(\w+)/.exec(parameter) ?? [];
    if (name && !same.has(type) && !IS_UNIFORM.test(parameter)) unknown.add(name);
  }
  const isUnknown = (text: string) => namesIn(text).some((name) => unknown.has(name));
  const assigned = (text: string) => [...text.matchAll(/(\w+)(?:[.[][^=;{}]*)?\s*[-+*/%&|^]?=(?!=)\s*([^;{}]*)/g)];
  for (let before = -1; before < unknown.size; ) {
    before = unknown.size;
    for (const [, name, value] of assigned(body)) if (isUnknown(value)) unknown.add(name);
    for (const { head, body: inner } of blocks(body, /\b(?:if|for|while|switch)\b/g)) {
      if (isUnknown(head)) for (const [, name] of assigned(inner)) unknown.add(name);
    }
  }
  return unknown;
}
