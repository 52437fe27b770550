import type { Bounce } from '../../core/mail/message.ts'
import { isAddress } from '../../core/mail/address.ts'
import { mailAddress, valuesOf, type HeaderField } from './headers.ts'

type Failed = Bounce['recipients'][number]

const MOST_RECIPIENTS = 100
const LONGEST_REPORT = 200_000

/**
 * What a delivery report says (RFC 3464): `report` is its message/delivery-status part, null where there is none; then
 * Exim's and Gmail's X-Failed-Recipients says it. Null where the message is no delivery report. Recipients it did reach
 * are left out, so the list may be empty.
 */
export function bounceOf(headers: readonly HeaderField[], report: string | null): Bounce | null {
  if (report !== null) return { recipients: distinct(blocksOf(report).map(failedIn)) }
  const failed = valuesOf(headers, 'x-failed-recipients')
  if (failed.length === 0) return null
  const addresses = failed
    .join(',')
    .slice(0, LONGEST_REPORT)
    .split(/[,\s]+/)
  return { recipients: distinct(addresses.map((text) => failure(text, null, true))) }
}

function distinct(found: readonly (Failed | null)[]): readonly Failed[] {
  const byAddress = new Map<string, Failed>()
  for (const one of found)
    if (one !== null && !byAddress.get(one.address)?.permanent) byAddress.set(one.address, one)
  return [...byAddress.values()].slice(0, MOST_RECIPIENTS)
}

/** The report's groups of fields, one a recipient, the first about the message: RFC 3464, 2.1. */
function blocksOf(report: string): readonly ReadonlyMap<string, string>[] {
  const unfolded = report
    .slice(0, LONGEST_REPORT)
    .replace(/\r\n?/g, '\n')
    .replace(/\n[ \t]+(?=\S)/g, ' ')
  return unfolded.split(/\n[ \t]*\n/).map((block) => {
    const fields = new Map<string, string>()
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':')
      if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
    }
    return fields
  })
}

/** `delayed` may still arrive, and 4.x.x is a transient failure whatever the action says (RFC 3463). */
function failedIn(fields: ReadonlyMap<string, string>): Failed | null {
  const action = (fields.get('action') ?? '').toLowerCase().split(/[\s(;]/, 1)[0]
  if (action !== 'failed' && action !== 'delayed') return null
  const status = /^\s*([245]\.\d{1,3}\.\d{1,3})/.exec(fields.get('status') ?? '')?.[1] ?? null
  const permanent = action === 'failed' && status?.startsWith('4') !== true
  return (
    failure(typed(fields.get('original-recipient'), true), status, permanent) ??
    failure(typed(fields.get('final-recipient'), false), status, permanent)
  )
}

/** `rfc822;jo@acme.com`. The original recipient is in xtext (RFC 3461, 4): "+2B" is a plus. */
function typed(value: string | undefined, isXtext: boolean): string {
  const address = (value ?? '').replace(/^[^;]*;/, '').trim()
  return isXtext
    ? address.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : address
}

function failure(text: string, status: string | null, permanent: boolean): Failed | null {
  const address = mailAddress(text, null)?.address ?? ''
  return isAddress(address) ? { address, status, permanent } : null
}
