import type { Header } from './headers.ts'
import { type Part, partsOf, snippetOf } from './parts.ts'
import type { Stored } from './state.ts'

export type Format = 'minimal' | 'full' | 'raw' | 'metadata'

/** https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages#Message */
export function messageWire(stored: Stored, format: Format, metadataHeaders: readonly string[]): object {
  const root = partsOf(stored.raw)
  const base = {
    id: stored.id,
    threadId: stored.threadId,
    ...(stored.labels.length === 0 ? {} : { labelIds: stored.labels }),
    snippet: snippetOf(root),
    sizeEstimate: stored.raw.length,
    historyId: String(stored.historyId),
    internalDate: String(stored.at),
  }
  switch (format) {
    case 'minimal':
      return base
    case 'raw':
      return { ...base, raw: stored.raw.toString('base64url') }
    case 'metadata':
      return { ...base, payload: { mimeType: root.mimeType, headers: chosen(root.headers, metadataHeaders) } }
    case 'full':
      return { ...base, payload: partWire(root) }
  }
}

/** Attachments are fetched by themselves; text is there. */
function partWire(part: Part): object {
  const { partId, mimeType, filename, headers, bytes, parts } = part
  const body =
    filename === ''
      ? { size: bytes.length, ...(bytes.length === 0 ? {} : { data: bytes.toString('base64url') }) }
      : { attachmentId: attachmentId(partId), size: bytes.length }
  const inner = parts.length === 0 ? {} : { parts: parts.map(partWire) }
  return { partId, mimeType, filename, headers, body, ...inner }
}

export function attachmentId(partId: string): string {
  return `ANGjdJ_${Buffer.from(partId).toString('base64url')}`
}

export function partIdIn(attachment: string): string {
  return Buffer.from(attachment.replace('ANGjdJ_', ''), 'base64url').toString()
}

function chosen(headers: readonly Header[], names: readonly string[]): readonly Header[] {
  if (names.length === 0) return headers
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  return headers.filter(({ name }) => wanted.has(name.toLowerCase()))
}
