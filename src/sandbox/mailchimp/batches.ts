import { createGzip } from 'node:zlib'
import { buffer } from 'node:stream/consumers'
import { Hono } from 'hono'
import { pack } from 'tar-stream'
import { z } from 'zod'
import { parseBody } from './member-body.ts'
import { page } from './paging.ts'
import { notFound, Problem } from './problem.ts'
import { project } from './project.ts'
import { jsonBody } from './request.ts'
import { currentSecond, isoSecond, type MailchimpState } from './state.ts'

const operation = z.object({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: z.string(),
  operation_id: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
  body: z.string().optional(),
})
type Operation = z.infer<typeof operation>
type Result = { status_code: number; operation_id: string; response: string }

export type Batch = {
  readonly id: string
  /** Part of the results' address, which needs no key to read. */
  readonly signature: string
  readonly submittedAt: number
  readonly operations: readonly Operation[]
  polls: number
  progress:
    | { kind: 'waiting' }
    | { kind: 'running'; done: Promise<void> }
    | { kind: 'finished'; results: readonly Result[]; completedAt: number }
}

const PENDING_MAX = 500
/** A batch finishes at this poll, or when this much time has passed, whichever is first. */
const POLLS_TO_FINISH = 2
const MS_TO_FINISH = 60_000
const RESULTS_PER_FILE = 500

export type RunOperation = (path: string, init: RequestInit) => Response | Promise<Response>

/**
 * https://mailchimp.com/developer/marketing/guides/run-async-requests-batch-endpoint/. Operations run when the
 * batch finishes, without the limit on connections; a finished batch may hold nothing but failures.
 */
export function batchRoutes(state: MailchimpState, random: () => number, run: RunOperation): Hono {
  const routes = new Hono()

  routes.post('/batches', async (c) => {
    const { operations } = parseBody(z.object({ operations: z.array(operation) }), await jsonBody(c))
    const pending = [...state.batches.values()].filter((batch) => batch.progress.kind !== 'finished')
    if (pending.length >= PENDING_MAX) {
      throw new Problem(429, 'Too Many Requests', `You have more than ${PENDING_MAX} pending batches.`)
    }
    const batch: Batch = {
      id: state.ids.hex(10),
      signature: state.ids.hex(32),
      submittedAt: currentSecond(state),
      operations,
      polls: 0,
      progress: { kind: 'waiting' },
    }
    state.batches.set(batch.id, batch)
    return c.json(view(batch, c.req.url))
  })

  routes.get('/batches', (c) => {
    const all = [...state.batches.values()]
    const batches = page(all, c.req.query(), Infinity).map((batch) => view(batch, c.req.url))
    return c.json(project({ batches, total_items: all.length }, c.req.query()))
  })

  routes.get('/batches/:id', async (c) => {
    const batch = batchOf(state, c.req.param('id'))
    batch.polls += 1
    if (batch.polls >= POLLS_TO_FINISH || state.now() >= batch.submittedAt + MS_TO_FINISH) {
      await finish(state, batch, random, run)
    }
    return c.json(project(view(batch, c.req.url), c.req.query()))
  })

  routes.delete('/batches/:id', (c) => {
    const batch = batchOf(state, c.req.param('id'))
    state.batches.delete(batch.id)
    return c.body(null, 204)
  })
  return routes
}

/**
 * The results lie in a storage service behind a signed address. Such an address refuses a request that
 * carries credentials of its own besides the signature, as signed S3 addresses do.
 */
export function batchResultRoutes(state: MailchimpState): Hono {
  const routes = new Hono()
  routes.get('/batch-results/:file', async (c) => {
    const batch = state.batches.get(c.req.param('file').replace(/-response\.tar\.gz$/, ''))
    if (c.req.header('authorization') !== undefined) {
      return c.text(
        '<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>',
        400,
      )
    }
    if (batch?.progress.kind !== 'finished' || c.req.query('Signature') !== batch.signature) {
      return c.text('<Error><Code>AccessDenied</Code></Error>', 403)
    }
    const archive = await archiveOf(batch.id, batch.progress.results)
    return c.body(new Uint8Array(archive), 200, { 'content-type': 'application/x-gzip' })
  })
  return routes
}

function batchOf(state: MailchimpState, id: string): Batch {
  const batch = state.batches.get(id)
  if (batch === undefined) throw notFound()
  return batch
}

/** Two polls at once share one execution. */
async function finish(
  state: MailchimpState,
  batch: Batch,
  random: () => number,
  run: RunOperation,
): Promise<void> {
  if (batch.progress.kind === 'finished') return
  if (batch.progress.kind === 'running') return batch.progress.done
  const done = execute(batch.operations, run).then((results) => {
    batch.progress = {
      kind: 'finished',
      results: shuffled(results, random),
      completedAt: currentSecond(state),
    }
  })
  batch.progress = { kind: 'running', done }
  return done
}

async function execute(operations: readonly Operation[], run: RunOperation): Promise<Result[]> {
  const results: Result[] = []
  for (const { method, path, params, body, operation_id: id } of operations) {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(params ?? {})) query.set(name, String(value))
    const target = `${path.startsWith('/') ? '' : '/'}${path}${query.size > 0 ? `?${query.toString()}` : ''}`
    const hasBody = method !== 'GET' && body !== undefined
    const response = await run(target, { method, ...(hasBody && { body }) })
    results.push({ status_code: response.status, operation_id: id ?? '', response: await response.text() })
  }
  return results
}

/** Results come in no particular order: only `operation_id` tells which is which. */
function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

function view(batch: Batch, requestUrl: string) {
  const results = batch.progress.kind === 'finished' ? batch.progress.results : null
  return {
    id: batch.id,
    status: statusOf(batch),
    total_operations: batch.operations.length,
    finished_operations: results?.length ?? 0,
    errored_operations: results?.filter((result) => result.status_code >= 400).length ?? 0,
    submitted_at: isoSecond(batch.submittedAt),
    completed_at: batch.progress.kind === 'finished' ? isoSecond(batch.progress.completedAt) : '',
    response_body_url:
      results === null
        ? ''
        : `${new URL(requestUrl).origin}/batch-results/${batch.id}-response.tar.gz?Signature=${batch.signature}`,
  }
}

function statusOf(batch: Batch): 'pending' | 'started' | 'finished' {
  if (batch.progress.kind === 'finished') return 'finished'
  return batch.polls === 0 ? 'pending' : 'started'
}

/** A directory, then one JSON array a file. */
async function archiveOf(id: string, results: readonly Result[]): Promise<Buffer> {
  const tar = pack()
  tar.entry({ name: './', type: 'directory' })
  for (let from = 0; from < results.length || from === 0; from += RESULTS_PER_FILE) {
    const name = `./${id}-${from / RESULTS_PER_FILE}.json`
    tar.entry({ name }, JSON.stringify(results.slice(from, from + RESULTS_PER_FILE)))
  }
  tar.finalize()
  return buffer(tar.pipe(createGzip()))
}
