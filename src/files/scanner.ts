/**
 * Reads words and numbers of a text file directly from its bytes, without a string per line, so long lines cost no
 * memory. Errors name the line. Numbers are plain decimals; `nan`, `inf` and `0x10` are errors.
 */
import { badFile, quoted } from './errors.ts';

const NEWLINE = 10;
const RETURN = 13;
const LONGEST_WORD = 400; // characters; longer than any number that a program writes

export class Scanner {
  position = 0;

  /**
   * @param comment character that starts a comment, which ends with the line; '' for none
   * @param separators characters that separate words, in addition to blanks
   */
  constructor(
    readonly bytes: Uint8Array,
    readonly name: string,
    comment: '#' | '' = '#',
    separators = '',
  ) {
    this.comment = comment === '' ? -1 : comment.charCodeAt(0);
    this.separators = [...separators].map((character) => character.charCodeAt(0));
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.position = 3; // UTF-8 byte order mark
  }

  private readonly comment: number;
  private readonly separators: readonly number[];

  /** Moves to the next word, across line ends and comments. False at the end of the file. */
  seek(): boolean {
    while (this.seekInLine() === false) {
      if (this.position >= this.bytes.length) return false;
      this.position++;
    }
    return true;
  }

  /** Moves to the next word of this line. False if there is none; the scanner is then at the end of the line. */
  seekInLine(): boolean {
    const { bytes } = this;
    for (; this.position < bytes.length; this.position++) {
      const byte = bytes[this.position];
      if (byte === this.comment) this.toLineEnd();
      if (this.position >= bytes.length || isLineEnd(bytes[this.position])) return false;
      if (!this.isBlank(byte)) return true;
    }
    return false;
  }

  /** Skips the rest of this line. */
  endLine(): void {
    this.toLineEnd();
    if (this.bytes[this.position] === RETURN && this.bytes[this.position + 1] === NEWLINE) this.position++;
    if (this.position < this.bytes.length) this.position++;
  }

  /** The next word; '' at the end of the file. */
  word(): string {
    if (!this.seek()) return '';
    const begin = this.position;
    const end = this.wordEnd();
    if (end - begin > LONGEST_WORD) throw this.error(`a word of ${end - begin} characters is too long`);
    this.position = end;
    return String.fromCharCode(...this.bytes.subarray(begin, end));
  }

  /** The next word, without moving past it. */
  peek(): string {
    this.seek();
    const at = this.position;
    const word = this.word();
    this.position = at;
    return word;
  }

  /** The next word as a finite number. @param what the expected number, for error messages */
  number(what: string): number {
    if (!this.seek()) throw this.error(`the file ends before ${what}`);
    const { bytes } = this;
    const begin = this.position;
    let at = begin;
    const negative = bytes[at] === 45;
    if (negative || bytes[at] === 43) at++;
    let digits = 0;
    let fraction = 0;
    let mantissa = 0;
    for (let seenPoint = false; at < bytes.length; at++) {
      const digit = bytes[at] - 48;
      if (digit >= 0 && digit <= 9) {
        mantissa = 10 * mantissa + digit;
        if (mantissa > 0) digits++;
        if (seenPoint) fraction++;
      } else if (bytes[at] === 46 && !seenPoint) seenPoint = true;
      else break;
    }
    // Up to 15 digits and 10^22 are exact in a double, so a single division rounds correctly.
    if (digits <= 15 && fraction <= 22 && at > begin && this.endsAt(at) && isDigit(bytes[at - 1])) {
      this.position = at;
      const value = mantissa / 10 ** fraction;
      return negative ? -value : value;
    }
    const text = this.word();
    const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value)) {
      this.position = begin;
      throw this.error(`expected ${what}, found ${quoted(text)}`);
    }
    return value;
  }

  /** Like `number`, but also accepts the word `nan`. */
  numberOrNaN(what: string): number {
    if (!/^[+-]?nan$/i.test(this.peek())) return this.number(what);
    this.word();
    return Number.NaN;
  }

  /** The next word as an integer from 0 to 2^32 - 1. */
  count(what: string): number {
    const value = this.number(what);
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
      throw this.error(`expected ${what}, found ${value}`);
    }
    return value;
  }

  /** An error that names the current line. */
  error(what: string, fix?: string): Error {
    let line = 1;
    for (let at = 0; at < this.position && at < this.bytes.length; at++) {
      const byte = this.bytes[at];
      if (byte === NEWLINE || (byte === RETURN && this.bytes[at + 1] !== NEWLINE)) line++;
    }
    return badFile(this.name, `line ${line}: ${what}`, fix);
  }

  private toLineEnd(): void {
    while (this.position < this.bytes.length && !isLineEnd(this.bytes[this.position])) this.position++;
  }

  private wordEnd(): number {
    let end = this.position;
    while (end < this.bytes.length && !this.endsAt(end)) end++;
    return end;
  }

  private endsAt(at: number): boolean {
    if (at >= this.bytes.length) return true;
    const byte = this.bytes[at];
    return this.isBlank(byte) || isLineEnd(byte) || byte === this.comment;
  }

  private isBlank(byte: number): boolean {
    return byte === 32 || byte === 9 || byte === 11 || byte === 12 || this.separators.includes(byte);
  }
}

function isLineEnd(byte: number): boolean {
  return byte === NEWLINE || byte === RETURN;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}
