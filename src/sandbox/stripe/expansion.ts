import type { Wire } from './types.ts'

/** How each property that may be expanded is made; which ones may is checked with the other parameters. */
export type Expanders = Readonly<Record<string, () => unknown>>

export function expanded(object: Wire, asked: readonly string[] | undefined, expanders: Expanders): Wire {
  if (asked === undefined || asked.length === 0) return object
  const grown: Record<string, unknown> = { ...object }
  for (const name of asked) grown[name] = expanders[name]?.() ?? grown[name]
  return grown
}
