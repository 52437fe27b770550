/**
 * An error as Google's APIs write it: the old list of `errors` with its `reason`, beside the newer `status`.
 * https://developers.google.com/workspace/gmail/api/guides/handle-errors
 */
export class GoogleError extends Error {
  readonly code: number
  readonly reason: string
  readonly status: string
  readonly domain: string
  readonly more: { readonly error?: object; readonly body?: object }

  constructor(
    code: number,
    reason: string,
    status: string,
    message: string,
    more: { readonly domain?: string; readonly error?: object; readonly body?: object } = {},
  ) {
    super(message)
    this.code = code
    this.reason = reason
    this.status = status
    this.domain = more.domain ?? 'global'
    this.more = more
  }

  response(): Response {
    const { code, message, domain, reason, status } = this
    const errors = [{ message, domain, reason, ...this.more.error }]
    return Response.json({ error: { code, message, errors, status, ...this.more.body } }, { status: code })
  }
}

export function notFound(): GoogleError {
  return new GoogleError(404, 'notFound', 'NOT_FOUND', 'Requested entity was not found.')
}

export function invalid(message: string): GoogleError {
  return new GoogleError(400, 'invalidArgument', 'INVALID_ARGUMENT', message)
}

export function failedPrecondition(message: string): GoogleError {
  return new GoogleError(400, 'failedPrecondition', 'FAILED_PRECONDITION', message)
}

export function forbidden(message: string): GoogleError {
  return new GoogleError(403, 'forbidden', 'PERMISSION_DENIED', message)
}

export function unauthenticated(): GoogleError {
  const message =
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.'
  return new GoogleError(401, 'authError', 'UNAUTHENTICATED', message, {
    error: { message: 'Invalid Credentials', location: 'Authorization', locationType: 'header' },
  })
}

export function scopeInsufficient(): GoogleError {
  const details = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
      domain: 'googleapis.com',
      metadata: { service: 'gmail.googleapis.com' },
    },
  ]
  return new GoogleError(
    403,
    'insufficientPermissions',
    'PERMISSION_DENIED',
    'Request had insufficient authentication scopes.',
    { error: { message: 'Insufficient Permission' }, body: { details } },
  )
}

/** The vendor sends no Retry-After with either. */
export function quotaExceeded(code: 429 | 403, whose: 'user' | 'project'): GoogleError {
  if (code === 429) {
    const metric = `Quota exceeded for quota metric 'Queries' and limit 'Queries per minute${whose === 'user' ? ' per user' : ''}' of service 'gmail.googleapis.com'.`
    return new GoogleError(429, 'rateLimitExceeded', 'RESOURCE_EXHAUSTED', metric)
  }
  const reason = whose === 'user' ? 'userRateLimitExceeded' : 'rateLimitExceeded'
  const message = whose === 'user' ? 'User Rate Limit Exceeded' : 'Rate Limit Exceeded'
  return new GoogleError(403, reason, 'PERMISSION_DENIED', message, { domain: 'usageLimits' })
}

/** Errors of the token endpoint: https://datatracker.ietf.org/doc/html/rfc6749#section-5.2 */
export class OAuthError extends Error {
  readonly error: string
  readonly code: 400 | 401

  constructor(error: string, description: string, code: 400 | 401 = 400) {
    super(description)
    this.error = error
    this.code = code
  }

  response(): Response {
    return Response.json({ error: this.error, error_description: this.message }, { status: this.code })
  }
}
