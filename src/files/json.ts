/** Values of a JSON document that is not checked yet. */
import { badFile, quoted } from './errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads values by key, and says where a wrong one is. */
export class JsonReader {
  constructor(readonly name: string) {}

  /** The value as an object; one without keys where it is absent. */
  object(value: unknown, what: string): JsonObject {
    if (value === undefined) return {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong(value, what);
    return value as JsonObject;
  }

  /** The value as a list; an empty one where it is absent. */
  list(value: unknown, what: string): readonly unknown[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.wrong(value, what);
    return value;
  }

  /** A whole number from 0. @param absent the value if it is missing; without it, the value must be there */
  count(value: unknown, what: string, absent?: number): number {
    if (value === undefined && absent !== undefined) return absent;
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw this.wrong(value, what);
    return value as number;
  }

  /** As many numbers as `absent` has; `absent` itself if they are missing. */
  numbers(value: unknown, what: string, absent: readonly number[]): readonly number[] {
    if (value === undefined) return absent;
    const list = this.list(value, what);
    if (list.length !== absent.length || !list.every((item) => typeof item === 'number')) throw this.wrong(value, what);
    return list as readonly number[];
  }

  wrong(value: unknown, what: string): Error {
    return badFile(this.name, `${what} is ${quoted(String(JSON.stringify(value)))}`);
  }
}
