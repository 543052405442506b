/** Unchecked values of a JSON document. */
import { badFile, quoted } from './errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads values by type, and names the place of a wrong one in errors. */
export class JsonReader {
  constructor(readonly name: string) {}

  /** The value as an object; an empty one if it is absent. */
  object(value: unknown, what: string): JsonObject {
    if (value === undefined) return {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong(value, what);
    return value as JsonObject;
  }

  /** The value as a list; an empty one if it is absent. */
  list(value: unknown, what: string): readonly unknown[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.wrong(value, what);
    return value;
  }

  /** An integer of at least 0. @param absent default for a missing value; without it, the value is required */
  count(value: unknown, what: string, absent?: number): number {
    if (value === undefined && absent !== undefined) return absent;
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw this.wrong(value, what);
    return value as number;
  }

  /** A list of as many numbers as `absent`, which is the default for a missing value. */
  numbers(value: unknown, what: string, absent: readonly number[]): readonly number[] {
    if (value === undefined) return absent;
    const list = this.list(value, what);
    if (list.length !== absent.length || !list.every((item) => typeof item === 'number')) throw this.wrong(value, what);
    return list as readonly number[];
  }

  wrong(value: unknown, what: string): Error {
    return badFile(this.name, `${what} is ${quoted(String(JSON.stringify(value)))}, which is invalid`);
  }
}
