/**
 * Reads words and numbers of a text file directly from its bytes, without a string per line, so long lines cost no
 * memory. Errors name the line. All text formats read numbers here: decimals with a point or, where commas do not
 * separate columns, with a comma; and all the ways in which C libraries spell NaN and infinity.
 */
import { badFile, quoted } from './errors.ts';
import type { Remarks } from './remarks.ts';

const NEWLINE = 10;
const RETURN = 13;
const POINT = 46;
const COMMA = 44;
const BACKSLASH = 92;
const DOS_END = 26; // the end of a text file in DOS
const LONGEST_WORD = 400; // characters; longer than any number that a program writes
const LONGEST_LINE = 4096; // characters of a line that `restOfLine` shows

/** nan, -nan(ind), NaNQ, 1.#QNAN, -1.#IND00, 1.#INF, inf, Infinity; NA and NULL, as spreadsheets and R write gaps */
const NOT_FINITE = /^([+-]?(s?nan[\dqs]*(\([^)]*\))?|qnan|inf(inity)?|1[.,]?#\w+)|n\/?a|null)$/i;

export interface ScannerOptions {
  /** Starts a comment at the beginning of a word; '' for none. The comment ends with the line. Default `#`. */
  readonly comment?: '#' | '';
  /** Separates columns, in addition to blanks: one between two columns. Default: blanks only. */
  readonly separator?: ',' | ';' | '';
  /** Whether a backslash at the end of a line continues it. Default false. */
  readonly continued?: boolean;
}

export class Scanner {
  position = 0;
  /** without the padding that some programs write after the last line */
  readonly bytes: Uint8Array;

  constructor(
    bytes: Uint8Array,
    readonly name: string,
    { comment = '#', separator = '', continued = false }: ScannerOptions = {},
  ) {
    let end = bytes.length;
    while (end > 0 && (bytes[end - 1] === 0 || bytes[end - 1] === DOS_END)) end--;
    this.bytes = bytes.subarray(0, end);
    this.comment = comment === '' ? -1 : comment.charCodeAt(0);
    this.separator = separator === '' ? -1 : separator.charCodeAt(0);
    this.continued = continued;
  }

  private readonly comment: number;
  private readonly separator: number;
  private readonly continued: boolean;
  private points = false;
  private commas = false;

  /** What a data set must say about the numbers. */
  get remarks(): Remarks {
    return this.commas ? { decimalCommas: 1 } : {};
  }

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
    while (this.position < bytes.length) {
      const byte = bytes[this.position];
      if (byte === this.comment) {
        while (this.position < bytes.length && !isLineEnd(bytes[this.position])) this.position++;
        return false;
      }
      if (isLineEnd(byte)) return false;
      const skipped = isBlank(byte) ? 1 : this.continuation(this.position);
      if (skipped === 0) return true;
      this.position += skipped;
    }
    return false;
  }

  /** Moves to the next record, a line that is not empty. @param what the record, for the error at the end of the file */
  seekRecord(what: string): void {
    if (!this.seek()) throw this.error(`the file ends before ${what}`);
  }

  /**
   * Moves to the next column of this line, which may be empty between two separators. False at the end of the line.
   * @param isFirst whether it is the first column
   */
  seekColumn(isFirst: boolean): boolean {
    const found = this.seekInLine();
    if (isFirst || !found || this.bytes[this.position] !== this.separator) return found;
    this.position++;
    this.seekInLine();
    return true;
  }

  /** Skips the rest of this line. */
  endLine(): void {
    const { bytes } = this;
    while (this.position < bytes.length && !isLineEnd(bytes[this.position])) {
      this.position += Math.max(1, this.continuation(this.position));
    }
    if (bytes[this.position] === RETURN && bytes[this.position + 1] === NEWLINE) this.position++;
    if (this.position < bytes.length) this.position++;
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

  /** Skips a column of any content. @param what the column, for the error if the line has no more */
  skip(what: string): void {
    if (!this.seekInLine()) throw this.error(`the line ends before ${what}`);
    this.position = this.wordEnd();
  }

  /** Skips the column at this place, which may be empty. */
  skipColumn(): void {
    this.position = this.wordEnd();
    if (this.separator < 0) return;
    while (this.seekInLine() && this.bytes[this.position] !== this.separator) this.position = this.wordEnd();
  }

  /** The start of the rest of this line, comments included, without moving. */
  restOfLine(): string {
    let end = this.position;
    while (end < this.bytes.length && end - this.position < LONGEST_LINE && !isLineEnd(this.bytes[end])) end++;
    return String.fromCharCode(...this.bytes.subarray(this.position, end));
  }

  /** The next word of this line as a finite number. @param what the expected number, for error messages */
  number(what: string): number {
    const value = this.coordinate(what);
    if (Number.isFinite(value)) return value;
    throw this.error(`expected ${what}, found ${value}`);
  }

  /** The next word of this line as a number, which may be NaN or infinite: a coordinate of a hole, see holes.ts. */
  coordinate(what: string): number {
    const isEmpty = !this.seekInLine();
    if (this.separator >= 0 && (isEmpty || this.bytes[this.position] === this.separator)) return Number.NaN;
    if (isEmpty) throw this.error(`the ${this.position < this.bytes.length ? 'line' : 'file'} ends before ${what}`);
    const { bytes } = this;
    const begin = this.position;
    let at = begin;
    const negative = bytes[at] === 45;
    if (negative || bytes[at] === 43) at++;
    let digits = 0;
    let fraction = 0;
    let mantissa = 0;
    let mark = 0; // the decimal point or comma
    for (; at < bytes.length; at++) {
      const digit = bytes[at] - 48;
      if (digit >= 0 && digit <= 9) {
        mantissa = 10 * mantissa + digit;
        if (mantissa > 0) digits++;
        if (mark > 0) fraction++;
      } else if (mark === 0 && (bytes[at] === POINT || (bytes[at] === COMMA && this.separator !== COMMA))) {
        mark = bytes[at];
      } else break;
    }
    // Up to 15 digits and 10^22 are exact in a double, so a single division rounds correctly.
    if (digits <= 15 && fraction <= 22 && at > begin && this.endsAt(at) && isDigit(bytes[at - 1])) {
      this.position = at;
      this.sawMark(mark);
      const value = mantissa / 10 ** fraction;
      return negative ? -value : value;
    }
    return this.slowNumber(what);
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

  /** Numbers with exponents or many digits, and the spellings of NaN and infinity. */
  private slowNumber(what: string): number {
    const begin = this.position;
    const text = this.word().replace(/^(["'])(.*)\1$/, '$2'); // some tables quote every column
    const plain = this.separator === COMMA ? text : text.replace(/^([+-]?\d*),(?=\d)/, '$1.');
    if (/^[+-]?(\d+\.?\d*|\.\d+)([ed][+-]?\d+)?$/i.test(plain)) {
      const value = Number(plain.replace(/d/i, 'e')); // Fortran writes 1.5D+02
      if (plain.includes('.')) this.sawMark(plain === text ? POINT : COMMA);
      if (Number.isFinite(value)) return value;
    } else if (NOT_FINITE.test(text)) {
      return /inf/i.test(text) ? (text.startsWith('-') ? -1 : 1) * Number.POSITIVE_INFINITY : Number.NaN;
    }
    this.position = begin;
    throw this.error(`expected ${what}, found ${quoted(text)}`);
  }

  /** A file with both marks may have commas between thousands, so its numbers are uncertain. */
  private sawMark(mark: number): void {
    if (mark === POINT) this.points = true;
    else if (mark === COMMA) this.commas = true;
    else return;
    if (!this.points || !this.commas) return;
    throw this.error(
      'some numbers have decimal points, others decimal commas',
      'Export the file again, with decimal points.',
    );
  }

  private wordEnd(): number {
    let end = this.position;
    while (end < this.bytes.length && !this.endsAt(end)) end++;
    return end;
  }

  private endsAt(at: number): boolean {
    if (at >= this.bytes.length) return true;
    const byte = this.bytes[at];
    if (isBlank(byte) || isLineEnd(byte) || byte === this.separator) return true;
    if (byte === BACKSLASH) return this.continuation(at) > 0;
    // In 1.#QNAN, the # is part of the number.
    return byte === this.comment && this.bytes[at - 1] !== POINT && this.bytes[at - 1] !== COMMA;
  }

  /** Bytes of a backslash and the line end after it; 0 if there are none. */
  private continuation(at: number): number {
    const { bytes } = this;
    if (!this.continued || bytes[at] !== BACKSLASH || !isLineEnd(bytes[at + 1])) return 0;
    return bytes[at + 1] === RETURN && bytes[at + 2] === NEWLINE ? 3 : 2;
  }
}

function isBlank(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === 11 || byte === 12;
}

function isLineEnd(byte: number): boolean {
  return byte === NEWLINE || byte === RETURN;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}
