import { type AuthSpec, type OAuth2, type OAuthGrant, VendorError } from '../../connectors/connector.ts'
import type { JsonObject } from '../../core/json.ts'

export type Secrets = Readonly<Record<string, string>>

/** The way of a connection's `AuthSpec` that its credentials are for. `none`: it has none that bring a token. */
export type Chosen =
  | { readonly kind: 'none' }
  | { readonly kind: 'oauth2'; readonly auth: OAuth2; readonly grant: OAuthGrant }

/** Where no credentials are there at all, it is the grant that a person would be asked for, which then says so. */
export function chosenAuth(spec: AuthSpec, secrets: Secrets): Chosen {
  switch (spec.kind) {
    case 'none':
    case 'apiKey':
      return { kind: 'none' }
    case 'oauth2': {
      const grant = grantOf(spec, secrets) ?? spec.grants[0]
      return grant === undefined ? { kind: 'none' } : { kind: 'oauth2', auth: spec, grant }
    }
    case 'either': {
      const given = spec.of.find((one) => isGiven(one, secrets))
      return given === undefined ? { kind: 'none' } : chosenAuth(given, secrets)
    }
  }
}

function isGiven(spec: Exclude<AuthSpec, { kind: 'none' | 'either' }>, secrets: Secrets): boolean {
  if (spec.kind === 'oauth2') return grantOf(spec, secrets) !== null
  return spec.fields.every((field) => has(secrets, field))
}

/** The first grant whose credentials are there. */
export function grantOf(auth: OAuth2, secrets: Secrets): OAuthGrant | null {
  return auth.grants.find((grant) => GIVEN[grant](secrets)) ?? null
}

const has = (secrets: Secrets, field: string): boolean => (secrets[field] ?? '') !== ''
const GIVEN: Readonly<Record<OAuthGrant, (secrets: Secrets) => boolean>> = {
  code: (secrets) => has(secrets, 'refreshToken') || has(secrets, 'accessToken'),
  // The same client may also have been allowed by a person: then it has tokens.
  client: (secrets) => has(secrets, 'clientId') && has(secrets, 'clientSecret') && !GIVEN.code(secrets),
  jwt: (secrets) => has(secrets, 'serviceAccountKey'),
}

/**
 * The address of one of the two endpoints. Throws a `VendorError` of kind `rejected` that names the setting to give.
 * Whether a request may go there at all is decided where it is sent, as for `baseUrl`.
 */
export function endpointOf(auth: OAuth2, which: 'authorizeUrl' | 'tokenUrl', settings: JsonObject): URL {
  const text = textSetting(settings, which) ?? filled(auth[which], settings)
  if (!URL.canParse(text)) throw wrongSetting(which, `The ${which} "${text}" is not a URL.`)
  return new URL(text)
}

/** A value stays one part of the address, whatever is in it. */
function filled(template: string, settings: JsonObject): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = textSetting(settings, name)
    if (value === null) throw wrongSetting(name, `The setting ${name} is missing: it is part of ${template}.`)
    return encodeURIComponent(value)
  })
}

export function scopesOf(auth: OAuth2, grant: OAuthGrant, settings: JsonObject): string {
  const more = Object.entries(auth.settingScopes ?? {}).flatMap(([name, scopes]) =>
    (settings[name] ?? null) === null ? [] : scopes,
  )
  const usual = [...new Set([...(auth.grantScopes?.[grant] ?? auth.scopes), ...more])]
  return textSetting(settings, 'scopes') ?? usual.join(' ')
}

export function textSetting(settings: JsonObject, name: string): string | null {
  const value = settings[name]
  return typeof value === 'string' && value !== '' ? value : null
}

const wrongSetting = (field: string, message: string) =>
  new VendorError({ kind: 'rejected', code: 'setting', field, message })
