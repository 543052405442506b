/** Rules for kernels that one compiler or driver breaks although another accepts them. Each states its reason. */
import { blocks, type Code, callers, type Fn, namesIn, nonUniform, parse } from './wgsl_code.ts';

export interface Rule {
  readonly name: string;
  readonly reason: string;
  /** what breaks the rule, as it is written in the source */
  readonly find: (code: Code) => string[];
}

/** The functions of WGSL (section 17), but for those on textures and derivatives, and its type constructors. */
const BUILTINS = new Set(
  `bitcast all any select arrayLength abs acos acosh asin asinh atan atanh atan2 ceil clamp cos cosh countLeadingZeros
  countOneBits countTrailingZeros cross degrees determinant distance dot dot4U8Packed dot4I8Packed exp exp2 extractBits
  faceForward firstLeadingBit firstTrailingBit floor fma fract frexp insertBits inverseSqrt ldexp length log log2 max min mix
  modf normalize pow quantizeToF16 radians reflect refract reverseBits round saturate sign sin sinh smoothstep sqrt step tan
  tanh transpose trunc atomicLoad atomicStore atomicAdd atomicSub atomicMax atomicMin atomicAnd atomicOr atomicXor
  atomicExchange atomicCompareExchangeWeak pack4x8snorm pack4x8unorm pack4xI8 pack4xU8 pack2x16snorm pack2x16unorm pack2x16float
  unpack4x8snorm unpack4x8unorm unpack4xI8 unpack4xU8 unpack2x16snorm unpack2x16unorm unpack2x16float storageBarrier
  workgroupBarrier workgroupUniformLoad subgroupAdd subgroupAll subgroupAny subgroupBroadcast subgroupBroadcastFirst
  subgroupElect subgroupMax subgroupMin subgroupShuffle quadBroadcast bool f16 f32 i32 u32 vec2 vec3 vec4 vec2f vec3f vec4f vec2i
  vec3i vec4i vec2u vec3u vec4u mat2x2f mat3x3f mat4x4f array atomic ptr`.split(/\s+/),
);

const inFunctions = (find: (fn: Fn, code: Code) => readonly string[]) => (code: Code) =>
  code.functions.flatMap((fn) => find(fn, code).map((found) => `${fn.name}: ${found}`));

/** The texts that a pattern matches, and that `isWrong` accepts. */
const matches = (text: string, pattern: RegExp, isWrong: (match: RegExpMatchArray) => boolean = () => true): string[] =>
  [...text.matchAll(pattern)].filter(isWrong).map(([found]) => found.replace(/\s+/g, ' ').trim());

export const RULES: readonly Rule[] = [
  {
    name: 'no override in the type of an array',
    reason:
      'Safari leaves the length at 0, so that writes vanish (kishimisu/WebGPU-Radix-Sort #10); older naga refuses it (gfx-rs/wgpu #5315)',
    find: ({ text, overrides }) =>
      matches(text, /\barray\s*<[^;{}()]*?,\s*([^;{}()>]+)>/g, ([, length]) =>
        namesIn(length).some((name) => overrides.has(name)),
      ),
  },
  {
    name: 'no pointer to storage or workgroup memory as a parameter',
    reason: 'naga refuses it, and Firefox and Deno with it (gfx-rs/wgpu #5158)',
    find: inFunctions(({ parameters }) => matches(parameters, /\bptr\s*<\s*(?!function\b|private\b)\w+[^:]*/g)),
  },
  {
    name: 'a function with a value ends with return',
    reason: 'where a loop or switch is last, naga adds a `return;` of the wrong type (damiant3/Cobblestone pull 129)',
    find: inFunctions(({ result, body }) =>
      result && !/(^|[;}])\s*return\b[^;{}]*;\s*$/.test(body) ? ['the last statement is not return'] : [],
    ),
  },
  {
    name: 'workgroups have one dimension, of a literal size',
    reason:
      'an Adreno 840 computed wrong blocks with 8 x 8 invocations, never with 64 (pytorch/executorch pull 22328); overrides failed in naga (gfx-rs/wgpu #4450)',
    find: ({ text }) => matches(text, /@workgroup_size\s*\(([^)]*)\)/g, ([, size]) => !/^\s*\d+\s*$/.test(size)),
  },
  {
    name: 'no name of a builtin function for anything else',
    reason: 'it hides the function, and a later call of that does not compile (rerun-io/rerun pull 9152)',
    find: ({ text, functions }) => {
      const declared = /\b(?:let|var(?:\s*<[^>]*>)?|const|override|fn|struct|alias)\s+(\w+)/g;
      const inText = matches(text, declared, ([, name]) => BUILTINS.has(name));
      const isBuiltin = ([, name]: RegExpMatchArray) => BUILTINS.has(name);
      return [...inText, ...functions.flatMap((fn) => matches(fn.parameters, /(\w+)\s*:/g, isBuiltin))];
    },
  },
  {
    name: 'barriers only in loops whose bounds are uniform',
    reason:
      'invocations that leave a loop early never reach the barrier; Tint refuses what it cannot prove and gets stricter, naga does not look (gfx-rs/wgpu #4369)',
    find: inFunctions((fn, code) => {
      const unknown = nonUniform(fn, code);
      const unknownIn = (text: string) => namesIn(text).filter((name) => unknown.has(name));
      const withBarrier = callers(code, ['workgroupBarrier', 'storageBarrier', 'workgroupUniformLoad']);
      const loops = blocks(fn.body, /\b(?:for|while|loop)\b/g).filter(({ body }) =>
        namesIn(body).some((name) => withBarrier.has(name)),
      );
      return loops.flatMap(({ head, body }) => {
        const exits = blocks(body, /\bif\b/g).filter((inner) => /\b(break|return|continue)\b/.test(inner.body));
        return [head, ...exits.map((exit) => exit.head)]
          .filter((bound) => unknownIn(bound).length > 0)
          .map((bound) => `"${bound}" depends on ${unknownIn(bound).join(', ')}`);
      });
    }),
  },
];

/** What breaks a rule in a WGSL source: `rule: what`. */
export function complaints(source: string): string[] {
  const code = parse(source);
  return RULES.flatMap(({ name, find }) => find(code).map((what) => `${name}: ${what}`));
}
