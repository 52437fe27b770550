import type { Query } from './database.ts'
import type { Vault } from './secrets.ts'

const context = (name: string) => `alerts ${name}`

/** What a channel signs with, or what the mail server is signed in to with. Replaces what was there. */
export async function saveAlertSecret(q: Query, vault: Vault, name: string, secret: string): Promise<void> {
  const sealed = Buffer.from(vault.seal(secret, context(name)))
  await q`
    insert into alert_secrets (name, sealed) values (${name}, ${sealed})
    on conflict (name) do update set sealed = excluded.sealed`
}

/** Undefined where none was set. Throws a `SecretError` where no known key opens it. */
export async function readAlertSecret(q: Query, vault: Vault, name: string): Promise<string | undefined> {
  const [row] = await q<{ sealed: Uint8Array }[]>`select sealed from alert_secrets where name = ${name}`
  return row === undefined ? undefined : vault.open(row.sealed, context(name))
}

export async function alertSecretNames(q: Query): Promise<ReadonlySet<string>> {
  const found = await q<{ name: string }[]>`select name from alert_secrets`
  return new Set(found.map(({ name }) => name))
}

/** Encrypts every secret anew with the current key; returns how many were under an older one. */
export async function rotateAlertSecrets(q: Query, vault: Vault): Promise<number> {
  const found = await q<
    { name: string; sealed: Uint8Array }[]
  >`select name, sealed from alert_secrets for update`
  const old = found.filter((row) => vault.isOld(row.sealed))
  for (const row of old) await saveAlertSecret(q, vault, row.name, vault.open(row.sealed, context(row.name)))
  return old.length
}
