import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'

/** Encrypts credentials at rest with AES-256-GCM. Several keys may be known while one is being rotated out. */
export type Vault = {
  /** `context` binds a secret to its place: moved to another row it does not open. */
  seal(plain: string, context: string): Uint8Array
  open(sealed: Uint8Array, context: string): string
  /** Whether `open` needed an older key than the current one. */
  isOld(sealed: Uint8Array): boolean
}

export class SecretError extends Error {}

const FORMAT = 1
const ID_BYTES = 8
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD = 1 + ID_BYTES

/**
 * Layout of a sealed secret: format (1 byte), key id (8), nonce (12), tag (16), ciphertext.
 * `keys`: the current one first, older ones after it, each at least 16 characters. NIST SP 800-38D for GCM with
 * random 96-bit nonces.
 */
export function openVault(keys: readonly string[]): Vault {
  const known = keys.map((text) => {
    if (text.length < 16)
      throw new SecretError(
        'CONCORD_SECRET_KEY: each key needs at least 16 characters. Fix: make one with `openssl rand -base64 32`.',
      )
    const key = Buffer.from(hkdfSync('sha256', text, '', 'concord secrets', 32))
    return { key, id: createHash('sha256').update(key).digest().subarray(0, ID_BYTES) }
  })
  const current = known[0]
  if (current === undefined) throw new SecretError('CONCORD_SECRET_KEY is empty.')
  return {
    seal(plain, context) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce).setAAD(Buffer.from(context))
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.from([FORMAT]), current.id, nonce, cipher.getAuthTag(), text])
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed)
      const id = bytes.subarray(1, HEAD)
      const found = known.find((k) => k.id.equals(id))
      if (bytes[0] !== FORMAT || found === undefined) {
        throw new SecretError(
          `The secret of ${context} was encrypted with another key. Fix: start with that key in CONCORD_SECRET_KEY (several may be given, separated by commas, the current one first), or enter the credentials again with \`concord connections add\`.`,
        )
      }
      const nonce = bytes.subarray(HEAD, HEAD + NONCE_BYTES)
      const tag = bytes.subarray(HEAD + NONCE_BYTES, HEAD + NONCE_BYTES + TAG_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', found.key, nonce)
        .setAAD(Buffer.from(context))
        .setAuthTag(tag)
      try {
        return (
          decipher.update(bytes.subarray(HEAD + NONCE_BYTES + TAG_BYTES), undefined, 'utf8') +
          decipher.final('utf8')
        )
      } catch (cause) {
        throw new SecretError(
          `The stored secret of ${context} was altered and does not open. Fix: enter the credentials again.`,
          { cause },
        )
      }
    },
    isOld: (sealed) => !Buffer.from(sealed).subarray(1, HEAD).equals(current.id),
  }
}

/** The key kept beside the embedded database; made at the first start, readable by its owner only (mode 0600). */
export async function localKey(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  try {
    await writeFile(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    // Another process made it first.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return (await readFile(file, 'utf8')).trim()
}
