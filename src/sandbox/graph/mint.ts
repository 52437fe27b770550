import { createHash } from 'node:crypto'

export type ItemIds = { readonly immutable: string; readonly mutable: string }

/** Ids and tokens of one sandbox: the same salt gives the same ones, in the same order. */
export type Mint = {
  /**
   * Ids come in twins that differ in the case of one letter only: Outlook's ids are case-sensitive
   * (https://learn.microsoft.com/en-us/graph/outlook-immutable-id), which a store that ignores case finds out here.
   */
  id(prefix: 'AAkA' | 'AAMk' | 'AQMk'): string
  /** Opaque, fit for a query. */
  token(): string
  uuid(): string
}

/** `random` is asked once, for the salt. */
export function createMint(random: () => number): Mint {
  const salt = String(random())
  let ids = 0
  let others = 0
  const digest = (text: string) => createHash('sha256').update(`${salt} ${text}`)
  return {
    id(prefix) {
      const twin = ids++
      const stem = digest(`id ${Math.floor(twin / 2)}`)
        .digest('base64url')
        .slice(0, 40)
      return `${prefix}${stem}${twin % 2 === 0 ? 'Q' : 'q'}AAA=`
    },
    token: () => digest(`token ${others++}`).digest('base64url'),
    uuid() {
      const hex = digest(`uuid ${others++}`).digest('hex')
      return [
        hex.slice(0, 8),
        hex.slice(8, 12),
        hex.slice(12, 16),
        hex.slice(16, 20),
        hex.slice(20, 32),
      ].join('-')
    },
  }
}
