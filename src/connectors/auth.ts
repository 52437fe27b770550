/** How a connection is authorised, as data: the CLI asks for `fields`, the store encrypts them. */
export type AuthSpec =
  | { readonly kind: 'none' }
  | ApiKey
  | OAuth2
  /** The first whose credentials are all there is used: a password, or else a token. */
  | { readonly kind: 'either'; readonly of: readonly (ApiKey | OAuth2)[] }

export type ApiKey = { readonly kind: 'apiKey'; readonly fields: readonly string[] }

/**
 * Its credentials by grant: `code` has `clientId` and, where the vendor gives one, `clientSecret`; `client` has both;
 * `jwt` has `serviceAccountKey`, the JSON file of the service account.
 */
export type OAuth2 = {
  readonly kind: 'oauth2'
  /** How a token is got; the first whose credentials are there is used. */
  readonly grants: readonly OAuthGrant[]
  /**
   * In both URLs `{name}` stands for the connection's setting of that name: `https://login.example.com/{tenant}/token`.
   * The settings `authorizeUrl` and `tokenUrl` replace them, for vendors with one per account and for sandboxes.
   */
  readonly authorizeUrl: string
  readonly tokenUrl: string
  /** `settings.scopes` replaces them: names with spaces between. */
  readonly scopes: readonly string[]
  /** The scopes of a grant that wants other ones (an application's are `…/.default` at Entra ID). */
  readonly grantScopes?: { readonly [grant in OAuthGrant]?: readonly string[] }
  /** More scopes where the setting of that name is given: listing a domain's mailboxes takes one that nobody else needs. */
  readonly settingScopes?: Readonly<Record<string, readonly string[]>>
  /** What else the page is asked with where a person allows it: Google keeps refresh tokens from who does not ask for `access_type: offline`. */
  readonly authorizeParams?: Readonly<Record<string, string>>
  /** The vendor replaces the refresh token at each use; the new one is saved before the access token is used. */
  readonly rotates: boolean
}

/**
 * `code`: a person allows it in the browser (RFC 6749 with PKCE); `client`: the application by itself (client
 * credentials); `jwt`: a service account's signed assertion (RFC 7523), which may act for the user that `Io.as` names.
 */
export type OAuthGrant = 'code' | 'client' | 'jwt'
