import type { Failure } from '../../connectors/connector.ts'

/** One request as sent: never a header, never a body. */
export type RequestEntry = {
  readonly connection: string
  readonly method: string
  /** Without user info, and without the values of query parameters that look secret. */
  readonly url: string
  /** Null: no reply arrived. */
  readonly status: number | null
  /** From sending to the last byte of the reply. */
  readonly ms: number
  /** 1 for the first. */
  readonly attempt: number
  /** Size of the reply's body. */
  readonly bytes: number
  readonly failure: Failure['kind'] | null
  /** The vendor's own id of the request, for its support. */
  readonly requestId: string | null
}

export type RequestLog = (entry: RequestEntry) => void
