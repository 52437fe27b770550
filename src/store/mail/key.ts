import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import type { Query } from '../database.ts'
import type { Vault } from '../secrets.ts'

/** What an address or id becomes where it must be recognised, but not be known: 32 hex digits. */
export type Hash = string
export type Hasher = (text: string) => Hash

const CONTEXT = 'mail key'
const BYTES = 16

/**
 * HMAC-SHA-256, cut to 128 bits, under a random key of this hub: addresses can be guessed, so a plain digest of one
 * would give it away. The key is made once and lies in the database encrypted by the vault, so that it outlives a
 * rotation of the vault's keys and a stolen copy of the database does not hold it in the clear.
 * Throws a `SecretError` where no known key opens it.
 */
export async function mailHasher(q: Query, vault: Vault): Promise<Hasher> {
  const key = createSecretKey(await openKey(q, vault), 'base64')
  return (text) =>
    createHmac('sha256', key)
      .update(text)
      .digest('hex')
      .slice(0, BYTES * 2)
}

async function openKey(q: Query, vault: Vault): Promise<string> {
  const read = () => q<{ sealed: Uint8Array }[]>`select sealed from mail_key where id = 1`
  const [known] = await read()
  if (known !== undefined) return vault.open(known.sealed, CONTEXT)
  const sealed = vault.seal(randomBytes(32).toString('base64'), CONTEXT)
  // Another process may make it at the same time: the first one's stands.
  await q`insert into mail_key (id, sealed) values (1, ${Buffer.from(sealed)}) on conflict do nothing`
  const [made] = await read()
  if (made === undefined) throw new Error('the key of mail was not stored')
  return vault.open(made.sealed, CONTEXT)
}

/** Encrypts the key anew where an older key of the vault holds it; returns whether it did. */
export async function rotateMailKey(q: Query, vault: Vault): Promise<boolean> {
  const [row] = await q<{ sealed: Uint8Array }[]>`select sealed from mail_key where id = 1 for update`
  if (row === undefined || !vault.isOld(row.sealed)) return false
  const sealed = vault.seal(vault.open(row.sealed, CONTEXT), CONTEXT)
  await q`update mail_key set sealed = ${Buffer.from(sealed)} where id = 1`
  return true
}

/** Hashes for `$1::bytea[]`. */
export const bytes = (hash: Hash): string => `\\x${hash}`
