import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'

type Key = { readonly kid: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject }

/** Keys take long to make, so all sandboxes of a process share them. */
const made: KeyObject[] = []

export function rsaKey(index: number): KeyObject {
  const key = made[index] ?? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  made[index] = key
  return key
}

/** Google's own keys, which it signs tokens of push subscriptions with. */
export class OidcKeys {
  #generation = 0

  #key(generation: number): Key {
    const privateKey = rsaKey(generation)
    return { kid: `sandbox-key-${generation}`, privateKey, publicKey: createPublicKey(privateKey) }
  }

  /** A new key signs from now on; the one before it stays published for a while, those before that do not. */
  rotate(): void {
    this.#generation += 1
  }

  /** `https://www.googleapis.com/oauth2/v3/certs` */
  async jwks(): Promise<{ readonly keys: readonly object[] }> {
    const current = [this.#generation, this.#generation - 1].filter((generation) => generation >= 0)
    const keys = current.map(async (generation) => {
      const { kid, publicKey } = this.#key(generation)
      return { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }
    })
    return { keys: await Promise.all(keys) }
  }

  /** https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions */
  async pushToken(claims: { audience: string; email: string; now: number }): Promise<string> {
    const { kid, privateKey } = this.#key(this.#generation)
    const seconds = Math.floor(claims.now / 1000)
    return await new SignJWT({
      aud: claims.audience,
      azp: '113774264463038321964',
      email: claims.email,
      email_verified: true,
      exp: seconds + 3600,
      iat: seconds,
      iss: 'https://accounts.google.com',
      sub: '113774264463038321964',
    })
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
      .sign(privateKey)
  }
}
