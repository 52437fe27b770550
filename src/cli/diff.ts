export type DiffLine = { readonly sign: ' ' | '-' | '+'; readonly text: string }

/** Lines around a change that are shown with it. */
const AROUND = 2

/** The changed lines of a text with a little of what is around them; `…` stands for what is left out. */
export function changedLines(before: string, after: string): readonly DiffLine[] {
  const all = diff(linesOf(before), linesOf(after))
  const near = all.map((_, i) =>
    all.slice(Math.max(0, i - AROUND), i + AROUND + 1).some((line) => line.sign !== ' '),
  )
  return all.flatMap((line, i): DiffLine[] => {
    if (near[i] === true) return [line]
    return i > 0 && near[i - 1] === true && near.slice(i).includes(true) ? [{ sign: ' ', text: '…' }] : []
  })
}

const linesOf = (text: string): readonly string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

/** By the longest common subsequence; configuration files are short enough for the table of it. */
function diff(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const common: number[][] = Array.from({ length: before.length + 1 }, () =>
    Array.from({ length: after.length + 1 }, () => 0),
  )
  const at = (i: number, j: number) => common[i]?.[j] ?? 0
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const row = common[i]
      if (row !== undefined)
        row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ sign: ' ', text: before[i] ?? '' })
      i++
      j++
    } else if (i < before.length && (j === after.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: '-', text: before[i++] ?? '' })
    } else {
      lines.push({ sign: '+', text: after[j++] ?? '' })
    }
  }
  return lines
}
