/** The known name that `typed` was probably meant to be, for "did you mean". */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const wanted = plain(typed)
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(typed.length * 0.4)) + 1
  for (const name of known) {
    const distance = editDistance(wanted, plain(name))
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** `Did you mean "x"?`, or the list to choose from. */
export function choose(typed: string, known: readonly string[]): string {
  const meant = nearest(typed, known)
  if (meant !== undefined) return `Did you mean "${meant}"?`
  return known.length === 0 ? 'Remove it.' : `Choose one of ${known.join(', ')}.`
}

const plain = (name: string): string => name.toLowerCase().replace(/[_\-\s]/g, '')

/** Letters to add, drop, change or swap with their neighbour; one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : change
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
