import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { runCli } from '../../src/cli/program.ts'
import type { Wiring } from '../../src/cli/wiring.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createGmailSandbox, type GmailSandbox } from '../../src/sandbox/gmail/index.ts'
import { createMailchimpSandbox, type MailchimpSandbox } from '../../src/sandbox/mailchimp/app.ts'
import { createStripeSandbox, type StripeSandbox } from '../../src/sandbox/stripe/index.ts'
import { testDatabase } from '../support/database.ts'
import { unasked } from '../support/unasked.ts'
import { CONNECTORS, ROOT } from './wired.ts'

export const MAILCHIMP = 'http://127.0.0.1:4101'
export const STRIPE = 'http://127.0.0.1:4102'
export const GMAIL = 'http://127.0.0.1:4103'
export const ANN = 'ann@us.example'
export const MAILCHIMP_KEY = 'key-us1'
export const STRIPE_KEY = 'sk_test_world'

export type Ran = { readonly code: number; readonly out: string; readonly err: string }

export type Desk = {
  readonly dir: string
  readonly env: Record<string, string | undefined>
  readonly mailchimp: MailchimpSandbox
  readonly stripe: StripeSandbox
  /** With one mailbox, of ANN. */
  readonly gmail: GmailSandbox
  /** Answers that a person will give, in order; nobody is there while it is empty. */
  readonly answers: (string | (() => Promise<string>))[]
  /** Runs one command in this process. */
  run(...args: readonly string[]): Promise<Ran>
  /** The same with `--json`; its answer. */
  json(...args: readonly string[]): Promise<{ readonly code: number; readonly value: unknown }>
  /** Connects Mailchimp and Stripe to their sandboxes. */
  connect(): Promise<void>
  /** Connects Gmail, as ANN. */
  connectMail(): Promise<Ran>
  file(name: string, lines: readonly string[]): string
  close(): Promise<void>
}

/** The command as a person uses it: a database, a folder, vendors, and captured output. */
export async function openDesk({ asks = false }: { readonly asks?: boolean } = {}): Promise<Desk> {
  const dir = mkdtempSync(path.join(tmpdir(), 'concord-cli-'))
  const shipped = path.join(dir, 'shipped')
  mkdirSync(shipped)
  for (const name of readdirSync(path.join(ROOT, 'config')).filter((file) => file.endsWith('.yaml')))
    writeFileSync(
      path.join(shipped, name),
      unasked(name, readFileSync(path.join(ROOT, 'config', name), 'utf8')),
    )
  const { url, drop } = await testDatabase()
  const mailchimp = createMailchimpSandbox({ now: Date.now, random: Math.random, apiKey: MAILCHIMP_KEY })
  const stripe = createStripeSandbox({
    now: Date.now,
    random: Math.random,
    apiKey: STRIPE_KEY,
    requestsPerSecond: 1_000,
  })
  const gmail = createGmailSandbox({ now: Date.now, random: Math.random, mailboxes: [{ address: ANN }] })
  const hosts: Readonly<Record<string, typeof fetch>> = {
    [MAILCHIMP]: sandboxFetch(mailchimp.app),
    [STRIPE]: sandboxFetch(stripe.app),
    [GMAIL]: sandboxFetch(gmail.app),
  }
  const transport: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const vendor = hosts[new URL(request.url).origin]
    if (vendor === undefined) throw new Error(`nobody answers at ${request.url}`)
    return vendor(request)
  }
  const env: Record<string, string | undefined> = {
    CONCORD_DIR: dir,
    DATABASE_URL: url,
    CONCORD_SECRET_KEY: 'a key that is only for tests',
    CONCORD_USER: 'mara',
  }
  const answers: (string | (() => Promise<string>))[] = []
  const run = async (...args: readonly string[]): Promise<Ran> => {
    const [out, err] = [capture(), capture()]
    const wiring: Wiring = {
      version: '0.0.0',
      connectors: CONNECTORS,
      shipped: asks ? path.join(ROOT, 'config') : shipped,
      env,
      transport,
      stopping: new AbortController().signal,
      terminal: {
        out: out.stream,
        err: err.stream,
        interactive: false,
        colour: false,
        columns: 120,
        ask: answers.length === 0 ? null : async () => answer(answers.shift() ?? ''),
      },
      makeLog: () => pino({ level: 'silent' }),
      serveHttp: async () => ({
        url: 'http://127.0.0.1:0',
        use: () => undefined,
        close: async () => undefined,
      }),
      runDemo: async () => 0,
    }
    const code = await runCli(args, wiring)
    return { code, out: out.text(), err: err.text() }
  }
  return {
    dir,
    env,
    mailchimp,
    stripe,
    gmail,
    answers,
    run,
    async json(...args) {
      const { code, out } = await run(...args, '--json')
      return { code, value: JSON.parse(out) as unknown }
    },
    async connect() {
      env['CONCORD_MAILCHIMP_API_KEY'] = MAILCHIMP_KEY
      env['CONCORD_STRIPE_API_KEY'] = STRIPE_KEY
      const list = mailchimp.audience.id
      await run('connections', 'add', 'mailchimp', '--set', `baseUrl=${MAILCHIMP}`, '--set', `list=${list}`)
      await run('connections', 'add', 'stripe', '--set', `baseUrl=${STRIPE}`)
    },
    connectMail() {
      const { accessToken } = gmail.signIn(ANN)
      env['CONCORD_GMAIL_ACCESS_TOKEN'] = accessToken
      env['CONCORD_GMAIL_CLIENT_ID'] = 'sandbox-client'
      env['CONCORD_GMAIL_CLIENT_SECRET'] = 'sandbox-secret'
      return run('connections', 'add', 'gmail', '--set', `baseUrl=${GMAIL}`)
    },
    file(name, lines) {
      const file = path.join(dir, name)
      writeFileSync(file, `${lines.join('\n')}\n`)
      return file
    },
    async close() {
      await drop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const answer = (given: string | (() => Promise<string>)) => (typeof given === 'string' ? given : given())

function capture() {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  return { stream, text: () => text }
}
