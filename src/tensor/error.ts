/** The one error class: a message that names the op and its shapes, a stable code, and the way out. */
export class RomoError extends Error {
  override readonly name = 'RomoError';

  /**
   * @param code stable, for programs: `shape`, `device-lost`, `file`, ...
   * @param message what was expected and what came, with op or file and shapes
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
