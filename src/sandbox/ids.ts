/** Ids of vendor objects, from a seeded source: the same seed gives the same ids. */
export type IdSource = {
  /** Lower-case hexadecimal digits. */
  hex(length: number): string
  /** Written as a UUID, without claiming a version. */
  uuid(): string
}

/** `random` returns numbers from 0 (included) to 1 (excluded), as `Math.random` does. */
export function idSource(random: () => number): IdSource {
  const hex = (length: number): string => {
    let digits = ''
    for (let i = 0; i < length; i += 1) digits += Math.floor(random() * 16).toString(16)
    return digits
  }
  return {
    hex,
    uuid: () => [8, 4, 4, 4, 12].map(hex).join('-'),
  }
}
