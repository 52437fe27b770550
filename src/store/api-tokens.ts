import { createHash, randomBytes } from 'node:crypto'
import type { Instant } from '../core/json.ts'
import type { Query } from './database.ts'

/** Tells the secret scanners of code hosts, and people, what it is. */
const PREFIX = 'concord_'

export type ApiToken = { readonly name: string; readonly createdAt: Instant }

/** A token of 256 random bits has no dictionary, so a plain hash of it is enough. */
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Makes a token that is told this once: only its hash is kept. */
export async function createToken(q: Query, name: string): Promise<{ readonly token: string }> {
  const token = `${PREFIX}${randomBytes(32).toString('base64url')}`
  await q`insert into api_tokens (hash, name) values (${hashOf(token)}, ${name})`
  return { token }
}

/** Whose token this is; undefined for one that was never made or was removed. */
export async function tokenName(q: Query, token: string): Promise<string | undefined> {
  const [row] = await q<{ name: string }[]>`select name from api_tokens where hash = ${hashOf(token)}`
  return row?.name
}

export async function listTokens(q: Query): Promise<readonly ApiToken[]> {
  return q<ApiToken[]>`select name, created_at as "createdAt" from api_tokens order by created_at, name`
}

/** False where no token has the name. */
export async function removeToken(q: Query, name: string): Promise<boolean> {
  const gone = await q`delete from api_tokens where name = ${name} returning 1`
  return gone.length > 0
}
