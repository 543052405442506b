/** Messages between the main thread and its loading threads. */
import { RomoError } from '../../tensor/error.ts';
import type { Origin } from '../sets/object.ts';
import type { Sample, Showing } from '../types.ts';
import type { Check, Request } from './loader.ts';

export interface Call {
  readonly call: number;
  readonly what: 'load' | 'check';
  readonly requests: readonly Request[];
  readonly showing: Showing | null;
}

/** An error as plain data, since sending it to another thread would lose its class and fields. */
export interface SentError {
  readonly code: string | null;
  readonly message: string;
  readonly fix: string;
  readonly stack: string | undefined;
}

export interface Answer {
  readonly call: number;
  readonly samples?: Sample[];
  readonly checks?: ({ readonly origin: Origin; readonly hash: string } | { readonly problem: SentError })[];
  readonly error?: SentError;
}

export function toSent(error: Error): SentError {
  const { message, stack } = error;
  if (!(error instanceof RomoError)) return { code: null, message, fix: '', stack };
  const { code, fix } = error;
  // RomoError appends the fix to the message, and will do so again.
  return { code, message: fix ? message.slice(0, -`. ${fix}`.length) : message, fix, stack };
}

export function fromSent({ code, message, fix, stack }: SentError): Error {
  if (code !== null) return new RomoError(code, message, fix);
  return Object.assign(new Error(message), { stack });
}

export const checkToSent = (check: Check): NonNullable<Answer['checks']>[number] =>
  'problem' in check ? { problem: toSent(check.problem) } : check;

export const checkFromSent = (check: NonNullable<Answer['checks']>[number]): Check =>
  'problem' in check ? { problem: fromSent(check.problem) as RomoError } : check;
