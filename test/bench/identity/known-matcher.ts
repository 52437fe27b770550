import { readFile } from 'node:fs/promises'
import { parse } from 'csv-parse/sync'
import { full_process, token_sort_ratio } from 'fuzzball'
import type { IdentitySet } from './sets.ts'
import { accuracyOf, type Accuracy } from './truth.ts'

/** All pairs are compared: above this it takes minutes. */
export const MOST_ROWS = 1_000
const THRESHOLDS = [70, 75, 80, 85, 90, 95]

/**
 * fuzzball, the most used fuzzy matcher of the npm registry that takes whole records: token sort ratio over all cells of
 * a row, all pairs, groups by what hangs together. The best of six thresholds counts, chosen by looking at the truth:
 * better than anybody gets who does not know it.
 */
export async function fuzzball(set: IdentitySet): Promise<Accuracy & { readonly seconds: number }> {
  const columns = set.columns.split(',').map((part) => part.split('=')[1] ?? '')
  const rows: Record<string, string>[] = parse(await readFile(set.file), { columns: true, bom: true })
  const startedAt = performance.now()
  const texts = rows.map((row) => full_process(columns.map((column) => row[column] ?? '').join(' ')))
  const pairs: (readonly [number, number, number])[] = []
  for (let i = 0; i < texts.length; i++) {
    for (let j = i + 1; j < texts.length; j++) {
      const ratio = token_sort_ratio(texts[i] ?? '', texts[j] ?? '', { full_process: false })
      if (ratio >= (THRESHOLDS[0] ?? 0)) pairs.push([i + 1, j + 1, ratio])
    }
  }
  const seconds = (performance.now() - startedAt) / 1000
  const all = THRESHOLDS.map((least) =>
    accuracyOf(set.truths, clustersOf(pairs.filter(([, , ratio]) => ratio >= least))),
  )
  const best = all.toSorted((a, b) => b.f1 - a.f1)[0] ?? { precision: 0, recall: 0, f1: 0 }
  return { ...best, seconds }
}

function clustersOf(pairs: readonly (readonly [number, number, number])[]): ReadonlyMap<number, string> {
  const parents = new Map<number, number>()
  const rootOf = (row: number): number => {
    let at = row
    for (let up = parents.get(at); up !== undefined && up !== at; up = parents.get(at)) at = up
    return at
  }
  for (const [a, b] of pairs) {
    for (const row of [a, b]) if (!parents.has(row)) parents.set(row, row)
    parents.set(rootOf(a), rootOf(b))
  }
  return new Map([...parents.keys()].map((row) => [row, String(rootOf(row))]))
}
