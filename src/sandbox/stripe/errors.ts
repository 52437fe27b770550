// Error bodies: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes
export type ErrorType = 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error'
export type ErrorDetail = { code?: string; param?: string; declineCode?: string }

/**
 * A refusal with the vendor's status and body.
 * `executed` is false while nothing of the endpoint ran: such replies are not kept for idempotent replay.
 */
export class Refusal extends Error {
  readonly status: number
  readonly type: ErrorType
  readonly detail: ErrorDetail
  readonly executed: boolean
  readonly headers: Record<string, string>
  constructor(
    status: number,
    type: ErrorType,
    message: string,
    detail: ErrorDetail = {},
    options: { executed?: boolean; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.status = status
    this.type = type
    this.detail = detail
    this.executed = options.executed ?? true
    this.headers = options.headers ?? {}
  }
}

export function errorBody(refusal: Refusal): string {
  const { code, param, declineCode } = refusal.detail
  return JSON.stringify(
    {
      error: {
        ...(code === undefined
          ? {}
          : { code, doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` }),
        ...(declineCode === undefined ? {} : { decline_code: declineCode }),
        message: refusal.message,
        ...(param === undefined ? {} : { param }),
        type: refusal.type,
      },
    },
    null,
    2,
  )
}

/** The object named in the path is gone or was never there. */
export function notFound(kind: string, id: string, param = 'id'): Refusal {
  return new Refusal(404, 'invalid_request_error', `No such ${kind}: '${id}'`, {
    code: 'resource_missing',
    param,
  })
}

/** A parameter names an object that is not there. */
export function noSuch(kind: string, id: string, param: string): Refusal {
  return new Refusal(400, 'invalid_request_error', `No such ${kind}: '${id}'`, {
    code: 'resource_missing',
    param,
  })
}

export function invalid(message: string, detail: ErrorDetail = {}): Refusal {
  return new Refusal(400, 'invalid_request_error', message, detail)
}

export function unread(message: string, detail: ErrorDetail = {}): Refusal {
  return new Refusal(400, 'invalid_request_error', message, detail, { executed: false })
}

export function serverError(): Refusal {
  return new Refusal(
    500,
    'api_error',
    'An unknown error occurred',
    {},
    { headers: { 'stripe-should-retry': 'false' } },
  )
}

export function rateLimited(): Refusal {
  return new Refusal(
    429,
    'invalid_request_error',
    'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
    { code: 'rate_limit' },
    { executed: false, headers: { 'stripe-rate-limited-reason': 'global-rate' } },
  )
}

/** https://docs.stripe.com/rate-limits#object-lock-timeouts */
export function lockTimeout(status: 409 | 429): Refusal {
  return new Refusal(
    status,
    'invalid_request_error',
    'This object cannot be accessed right now because another API request or Stripe process is currently accessing it.',
    { code: 'lock_timeout' },
    { executed: false, headers: { 'stripe-should-retry': 'true' } },
  )
}
