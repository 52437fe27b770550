import { createToken, listTokens, removeToken, tokenName, type ApiToken } from '../store/api-tokens.ts'
import type { Query } from '../store/database.ts'

export type { ApiToken } from '../store/api-tokens.ts'

/** Tokens of the HTTP API. Undefined where the name is in use. */
export async function addApiToken(q: Query, name: string): Promise<{ readonly token: string } | undefined> {
  if ((await listTokens(q)).some((token) => token.name === name)) return undefined
  return createToken(q, name)
}

export const apiTokens = (q: Query): Promise<readonly ApiToken[]> => listTokens(q)
export const removeApiToken = (q: Query, name: string): Promise<boolean> => removeToken(q, name)
/** Whose token this is; undefined for an unknown one. */
export const apiTokenName = (q: Query, token: string): Promise<string | undefined> => tokenName(q, token)
