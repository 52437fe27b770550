import type { Thresholds } from '../core/duplicates.ts'
import type { Report } from './problem.ts'
import type { DuplicatesEntry } from './schema.ts'

const FORM = 'Write a probability above 0 and at most 1, such as 0.999, or never.'

/** The thresholds of `duplicates:`, with `otherwise` for what it leaves out. */
export function compileDuplicates(entry: DuplicatesEntry, otherwise: Thresholds, report: Report): Thresholds {
  const read = (name: 'link' | 'ask'): number | null => {
    const said = entry?.[name]
    if (said === undefined) return otherwise[name]
    if (said === 'never') return null
    if (typeof said === 'number' && said > 0 && said <= 1) return said
    report([name], `${JSON.stringify(said)} is no probability`, FORM)
    return null
  }
  const link = read('link')
  const ask = read('ask')
  if (link !== null && ask !== null && link <= ask)
    report(
      [entry?.link === undefined ? 'ask' : 'link'],
      `link (${link}) is not above ask (${ask}): nobody would ever be asked`,
      'Raise link, lower ask, or write ask: never.',
    )
  return { link, ask }
}
