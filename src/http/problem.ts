import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { JsonObject } from '../core/json.ts'

export type ProblemStatus = Extract<
  ContentfulStatusCode,
  400 | 401 | 404 | 405 | 409 | 412 | 413 | 415 | 422 | 500 | 503
>

const TITLE: Readonly<Record<ProblemStatus, string>> = {
  400: 'The request cannot be read',
  401: 'No valid API token',
  404: 'Not found',
  405: 'This cannot be done here',
  409: 'In conflict with what is there',
  412: 'Changed meanwhile',
  413: 'Too large',
  415: 'Not JSON',
  422: 'Some values are wrong',
  500: 'Something went wrong in Concord',
  503: 'Not now',
}

/** An error as RFC 9457 has it: `detail` says what to do, `more` what a program needs. */
export function problem(
  c: Context,
  status: ProblemStatus,
  detail: string,
  more: JsonObject = {},
  headers: Readonly<Record<string, string>> = {},
): Response {
  return c.body(JSON.stringify({ title: TITLE[status], status, detail, ...more }), status, {
    'content-type': 'application/problem+json',
    ...headers,
  })
}
