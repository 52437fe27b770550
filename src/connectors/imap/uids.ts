/**
 * A set of UIDs as a short text: runs of numbers that follow each other, each as its distance from the end of the one
 * before and, where it has more than one, its length, in base 36. A folder of 100,000 messages is a few bytes when none
 * was ever deleted, and some 100 kB at worst.
 */
export type UidSet = string

export function pack(uids: Iterable<number>): UidSet {
  const sorted = [...new Set(uids)].toSorted((a, b) => a - b)
  const runs: string[] = []
  let end = 0
  for (let at = 0; at < sorted.length; ) {
    const start = sorted[at] ?? 0
    let length = 1
    while (sorted[at + length] === start + length) length += 1
    runs.push((start - end).toString(36) + (length === 1 ? '' : `-${length.toString(36)}`))
    end = start + length
    at += length
  }
  return runs.join(' ')
}

/** Rising. */
export function unpack(set: UidSet): number[] {
  const uids: number[] = []
  let end = 0
  for (const run of set === '' ? [] : set.split(' ')) {
    const [gap = '', length = '1'] = run.split('-')
    const start = end + Number.parseInt(gap, 36)
    end = start + Number.parseInt(length, 36)
    for (let uid = start; uid < end; uid++) uids.push(uid)
  }
  return uids
}

/** As IMAP writes a sequence-set: 1:5,8 (RFC 9051, 9). */
export function sequenceSet(uids: readonly number[]): string {
  const sorted = uids.toSorted((a, b) => a - b)
  const runs: string[] = []
  for (let at = 0; at < sorted.length; ) {
    const start = sorted[at] ?? 0
    let length = 1
    while (sorted[at + length] === start + length) length += 1
    runs.push(length === 1 ? String(start) : `${start}:${start + length - 1}`)
    at += length
  }
  return runs.join(',')
}

export function minus(uids: readonly number[], others: Iterable<number>): number[] {
  const out = new Set(others)
  return uids.filter((uid) => !out.has(uid))
}

export function both(uids: readonly number[], others: Iterable<number>): number[] {
  const also = new Set(others)
  return uids.filter((uid) => also.has(uid))
}
