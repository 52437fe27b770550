import { InvalidArgumentError, Option } from 'commander'
import type { Context } from './context.ts'

/** Runs the work of a command in its context. */
export type Run = (work: (context: Context) => Promise<number>) => Promise<void>

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number.')
  return Number(text)
}

export function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 1.')
  return Number(text)
}

export const limit = (usual: number): Option =>
  new Option('--limit <n>', 'at most so many').argParser(positive).default(usual)

/** For an option that may be repeated. */
export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
