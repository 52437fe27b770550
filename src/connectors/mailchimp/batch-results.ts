import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { type Extract, extract } from 'tar-stream'
import { type Io, VendorError } from '../connector.ts'
import { parseReply } from './api.ts'
import type { BatchResult } from './batch.ts'
import type { Target } from './settings.ts'
import { batchResults } from './wire.ts'

/** 500 members are about 2 MB; a reply that unpacks to more than this is not one. */
const UNPACKED_MAX_BYTES = 64 * 1024 * 1024

/**
 * Reads the results of a finished batch: a gzipped tar of JSON arrays, in no particular order. The address is signed
 * and refuses other credentials, so the API key is not sent; nor is an address followed that is not the vendor's.
 */
export async function readResults(
  io: Io,
  target: Target,
  address: string,
): Promise<ReadonlyMap<string, BatchResult>> {
  const url = URL.canParse(address) ? new URL(address) : null
  if (url === null || !isVendors(url, target)) {
    throw unreadable(`the results are at ${url?.host ?? 'no address'}, which is not Mailchimp's`)
  }
  const response = await io.fetch(url.href, { redirect: 'error' })
  const results = new Map<string, BatchResult>()
  for (const text of await unpack(response)) {
    for (const result of parseReply(text, RESULTS, batchResults)) {
      const { operation_id: key, status_code: status, response: body } = result
      if (key) results.set(key, { kind: 'answered', status, body })
    }
  }
  return results
}

const RESULTS = { method: 'GET', path: '(results of a batch)' } as const

/** The vendor keeps results at its storage providers: https://github.com/mailchimp/mc-magento2/issues/1414 */
function isVendors(url: URL, target: Target): boolean {
  if (url.origin === new URL(target.baseUrl).origin) return true
  if (url.protocol !== 'https:' || url.port !== '') return false
  return (
    url.hostname.endsWith('.mailchimp.com') ||
    /^mailchimp-api-batch\.s3([.-][a-z0-9-]+)*\.amazonaws\.com$/.test(url.hostname) ||
    url.hostname === 'storage.googleapis.com'
  )
}

async function unpack(response: Response): Promise<readonly string[]> {
  const tar = extract()
  try {
    const [files] = await Promise.all([
      readFiles(tar),
      pipeline(Readable.from(chunksOf(response)), createGunzip(), tar),
    ])
    return files
  } catch (cause) {
    throw unreadable('the archive of results is damaged', cause)
  }
}

async function readFiles(tar: Extract): Promise<readonly string[]> {
  const files: string[] = []
  let bytes = 0
  for await (const entry of tar) {
    const chunks: Uint8Array[] = []
    for await (const chunk of entry) {
      if (!(chunk instanceof Uint8Array)) continue
      bytes += chunk.length
      if (bytes > UNPACKED_MAX_BYTES) throw new Error('The archive is too large')
      chunks.push(chunk)
    }
    if (entry.header.type === 'file') files.push(Buffer.concat(chunks).toString('utf8'))
  }
  return files
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body !== null) yield* response.body
}

function unreadable(problem: string, cause?: unknown): VendorError {
  const message = `The outcome of a Mailchimp batch cannot be read: ${problem}.`
  return new VendorError({ kind: 'malformed', committed: 'unknown', message }, { cause })
}
