import { failureOf, VendorError } from '../../connectors/connector.ts'
import { mergeSecrets, readSecrets, setConnectionState } from '../../store/connections.ts'
import type { Sql, Tx } from '../../store/database.ts'
import type { Vault } from '../../store/secrets.ts'
import { type TokenStore, tokenSecrets } from './oauth.ts'
import type { Tokens } from './token-request.ts'

/**
 * Keeps a connection's tokens in its row. Two processes that refresh at once would each use up the other's rotated
 * refresh token; so the row is locked, read again inside the lock, and the new pair is committed before anybody uses
 * it. The lock is held while the vendor answers, at most the client's time limit for each try.
 */
export function tokenStore(options: {
  sql: Pick<Sql, 'begin'>
  vault: Vault
  connection: string
}): TokenStore {
  const { sql, vault, connection } = options
  /** Granted, but the database failed before it was kept: saved at the next try, as it cannot be asked for again. */
  let unsaved: { readonly spent: string; readonly tokens: Tokens } | null = null

  async function refreshed(
    tx: Tx,
    stale: string,
    refresh: (refreshToken: string) => Promise<Tokens>,
  ): Promise<string> {
    const { accessToken, refreshToken } = await lockedSecrets(tx)
    if (accessToken !== undefined && accessToken !== stale) return accessToken
    if (refreshToken === undefined) throw authoriseAgain('has no refresh token')
    const tokens = unsaved?.spent === refreshToken ? unsaved.tokens : await refresh(refreshToken)
    unsaved = { spent: refreshToken, tokens }
    await mergeSecrets(tx, vault, connection, tokenSecrets(tokens))
    return tokens.accessToken
  }

  /** After a refusal: while it was asked, a person may have authorised again, waiting for our lock. */
  async function othersOrUnauthorised(tx: Tx, stale: string, problem: string): Promise<string | null> {
    const { accessToken } = await lockedSecrets(tx)
    if (accessToken !== undefined && accessToken !== stale) return accessToken
    await setConnectionState(tx, connection, 'unauthorised', problem)
    return null
  }

  async function lockedSecrets(tx: Tx): Promise<{ accessToken?: string; refreshToken?: string }> {
    const rows = await tx`select 1 from connections where name = ${connection} for update`
    if (rows.length === 0) throw authoriseAgain('was removed')
    return readSecrets(tx, vault, connection)
  }

  function authoriseAgain(why: string): VendorError {
    const message = `Connection ${connection} ${why}. Fix: authorise it again with \`concord connections add ${connection}\`.`
    return new VendorError({ kind: 'auth', message })
  }

  return {
    async refresh(stale, refresh) {
      try {
        const token = await sql.begin((tx) => refreshed(tx, stale, refresh))
        unsaved = null
        return token
      } catch (error) {
        const failure = failureOf(error)
        if (failure?.kind !== 'auth') throw error
        const token = await sql.begin((tx) => othersOrUnauthorised(tx, stale, failure.message))
        if (token === null) throw error
        return token
      }
    },
  }
}
