import type { ContentfulStatusCode } from 'hono/utils/http-status'

export type FieldError = { field: string; message: string }

/**
 * An error as the vendor words it: https://mailchimp.com/developer/marketing/docs/errors/. Titles are what
 * clients tell errors apart by, since most of them share status 400.
 */
export class Problem extends Error {
  readonly status: ContentfulStatusCode
  readonly title: string
  readonly detail: string
  readonly errors: readonly FieldError[]

  constructor(
    status: ContentfulStatusCode,
    title: string,
    detail: string,
    errors: readonly FieldError[] = [],
  ) {
    super(`${title}: ${detail}`)
    this.status = status
    this.title = title
    this.detail = detail
    this.errors = errors
  }
}

/** RFC 7807 body; `instance` is the id a person would quote to the vendor's support. */
export function problemResponse(problem: Problem, instance: string): Response {
  const { status, title, detail, errors } = problem
  const body = {
    type: 'https://mailchimp.com/developer/marketing/docs/errors/',
    title,
    status,
    detail,
    instance,
    ...(errors.length > 0 && { errors }),
  }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json; charset=utf-8' },
  })
}

export const notFound = (): Problem =>
  new Problem(404, 'Resource Not Found', 'The requested resource could not be found.')

export const invalidResource = (errors: readonly FieldError[]): Problem =>
  new Problem(
    400,
    'Invalid Resource',
    "The resource submitted could not be validated. For field-specific details, see the 'errors' array.",
    errors,
  )

export const invalidMergeFields = (errors: readonly FieldError[]): Problem =>
  new Problem(400, 'Invalid Resource', 'Your merge fields were invalid.', errors)

export const invalidEmail = (): Problem =>
  new Problem(400, 'Invalid Resource', 'Please provide a valid email address.')

export const memberExists = (email: string): Problem =>
  new Problem(
    400,
    'Member Exists',
    `${email} is already a list member. Use PUT to insert or update list members.`,
  )

/** https://github.com/ibericode/mailchimp-for-wordpress/issues/798 has one as it was received. */
export const inComplianceState = (email: string): Problem =>
  new Problem(
    400,
    'Member In Compliance State',
    `${email} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed.`,
  )

export const forgottenEmail = (email: string): Problem =>
  new Problem(
    400,
    'Forgotten Email Not Subscribed',
    `${email} was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list.`,
  )

/** https://github.com/amro/gibbon/issues/320 */
export const cannotArchive = (): Problem =>
  new Problem(
    405,
    'Method Not Allowed',
    'This list member cannot be removed. Can not archive a contact that is bounced, pending or archived',
  )

export const tooManyConnections = (max: number): Problem =>
  new Problem(429, 'Too Many Requests', `You have exceeded the limit of ${max} simultaneous connections.`)
