/** The one error class: a message that names the op and its shapes, a stable code, and the way out. */
export class RomoError extends Error {
  override readonly name = 'RomoError';

  /**
   * @param code stable, for programs: `shape`, `device-lost`, `file`, ...
   * @param message what was expected and what was given, with op or file and shapes
   * @param fix what the user can do about it
   */
  constructor(
    readonly code: string,
    message: string,
    readonly fix: string,
  ) {
    super(`${message}${fix ? `. ${fix}` : ''}`);
  }
}

/** An error about shapes: `conv2d: weight has 32 input channels, x has 64 (x [8,32,32,64], weight [3,3,32,128])`. */
export function shapeError(
  op: string,
  problem: string,
  tensors: Readonly<Record<string, { readonly shape: readonly number[] } | undefined>>,
  fix: string,
): RomoError {
  const shapes = Object.entries(tensors).map(([name, tensor]) => (tensor ? `${name} [${tensor.shape}]` : ''));
  return new RomoError('shape', `${op}: ${problem} (${shapes.filter(Boolean).join(', ')})`, fix);
}
