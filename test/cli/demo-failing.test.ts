import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runDemo, type DemoWiring } from '../../src/cli/demo/index.ts'
import { serveHttp } from '../../src/http/serve.ts'
import { openCompany } from '../../src/sandbox/company/open.ts'
import { CONNECTORS, ROOT } from './wired.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'concord-demo-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** The demo in this process, with what is said on its stage. */
async function play(
  openVendors: DemoWiring['openVendors'],
  stopping = new AbortController().signal,
): Promise<{ readonly code: number; readonly out: string }> {
  const out = new PassThrough()
  const wiring: DemoWiring = {
    connectors: CONNECTORS,
    shipped: path.join(ROOT, 'config'),
    env: { ...process.env, CONCORD_DIR: folder },
    terminal: { out, err: out, interactive: false, colour: false, columns: 80, ask: null },
    stopping,
    makeLog: () => pino({ level: 'silent' }),
    serveHttp: (booted, at) => serveHttp(booted, { ...at, log: booted.hub.log }),
    openVendors,
    command: [process.execPath, path.join(ROOT, 'src', 'main.ts')],
  }
  const said = text(out)
  const code = await runDemo(wiring, { contacts: 20, once: true, port: 0 })
  out.end()
  return { code, out: await said }
}

test('a story that does not come true is told, the others are played, and the demo fails', {
  timeout: 240_000,
}, async () => {
  const { code, out } = await play(async (options) => {
    const vendors = await openCompany(options)
    // A vendor that bills a cent too much.
    const invoices = () =>
      vendors.stripe.invoices().map((invoice) => ({ ...invoice, total: invoice.total + 1 }))
    // A mailbox that has lost what was sent to it.
    const mailboxesWith = (id: string) => vendors.mail.mailboxesWith(id).slice(1)
    return {
      ...vendors,
      stripe: { ...vendors.stripe, invoices },
      mail: { ...vendors.mail, mailboxesWith },
    }
  })
  expect(code).toBe(1)
  expect(out).toContain('✗ The total of the invoice')
  expect(out).toContain('✗ The mailboxes that have it should be')
  expect(out).toContain('✗ The mailboxes that have the two should be')
  expect(out).toContain('4 of the stories did not come true')
  expect(out).toMatch(/Story 3[^✗]*Story 4/)
})

test('Ctrl-C in the middle ends it at once, with everything down', { timeout: 60_000 }, async () => {
  const stopping = new AbortController()
  let closed = false
  const { code, out } = await play(async (options) => {
    const vendors = await openCompany(options)
    const unsubscribe = (email: string) => {
      vendors.mailchimp.unsubscribe(email)
      stopping.abort()
    }
    const close = async () => {
      await vendors.close()
      closed = true
    }
    return { ...vendors, mailchimp: { ...vendors.mailchimp, unsubscribe }, close }
  }, stopping.signal)
  expect(code).toBe(130)
  expect(closed).toBe(true)
  expect(out).toContain('the database are down')
  expect(out).not.toContain('Story 3')
})
