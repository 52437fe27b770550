import { DEFAULT_ALERTS } from '../../src/core/alerts.ts'
import { KEEP_ALL } from '../../src/core/privacy.ts'
import { pino } from 'pino'
import type { Connector } from '../../src/connectors/connector.ts'
import type { MailPage, Sighting } from '../../src/connectors/mail.ts'
import { DEFAULT_SURVIVORSHIP } from '../../src/core/survivorship.ts'
import { DEFAULT_THRESHOLDS } from '../../src/core/duplicates.ts'
import type { Instant, Json } from '../../src/core/json.ts'
import type { Envelope, MailAddress, MailFlag, MailMessage } from '../../src/core/mail/message.ts'
import { DEFAULT_RULES, type MailConfig, type MailRules } from '../../src/core/mail/rules.ts'
import { NO_GOVERNANCE } from '../../src/core/governance/rules.ts'
import type { Configuration, Pipeline } from '../../src/core/stream.ts'
import { createRecord } from '../../src/runtime/edit.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { openHub } from '../../src/runtime/open.ts'
import { saveConnection } from '../../src/store/connections.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { openVault } from '../../src/store/secrets.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { testDatabase } from '../support/database.ts'

export const T0 = Date.parse('2026-03-02T09:00:00Z')
export const HOUR = 3_600_000

/** What a test says of a message; the rest follows. */
export type Note = {
  readonly id?: string
  readonly from: string
  readonly to: readonly string[]
  readonly cc?: readonly string[]
  readonly at?: Instant
  readonly subject?: string
  readonly text?: string
  /** Null: it has none. */
  readonly messageId?: string | null
  readonly inReplyTo?: readonly string[]
  readonly references?: readonly string[]
  readonly headers?: Envelope['headers']
  readonly bounce?: Envelope['bounce']
  readonly labels?: readonly string[] | null
  readonly flags?: readonly MailFlag[]
}

const addressOf = (text: string): MailAddress => {
  const [, name, address] = /^(.*?)\s*<(.*)>$/.exec(text) ?? []
  return address === undefined ? { address: text, name: null } : { address, name: name || null }
}

let notes = 0
export function message(note: Note): MailMessage {
  const at = note.at ?? T0 - HOUR
  return {
    envelope: {
      messageId: note.messageId === undefined ? `note-${++notes}@test.example` : note.messageId,
      inReplyTo: note.inReplyTo ?? [],
      references: note.references ?? [],
      at,
      sentAt: Math.floor(at / 1000) * 1000,
      from: [addressOf(note.from)],
      sender: null,
      replyTo: [],
      to: note.to.map(addressOf),
      cc: (note.cc ?? []).map(addressOf),
      bcc: [],
      headers: note.headers ?? {},
      calendar: null,
      bounce: note.bounce ?? null,
    },
    subject: note.subject ?? 'Hello',
    text: note.text ?? 'How are you?',
    quoted: null,
    signature: null,
    html: null,
    attachments: [],
  }
}

type Held = { message: MailMessage; flags: readonly MailFlag[]; labels: readonly string[] | null }

/** A mailbox in memory, as a vendor would hold it. */
export class FakeMailbox {
  readonly held = new Map<string, Held | 'bad'>()
  readonly log: string[] = []
  readonly address: string
  pageSize = 100
  /** Every request, `live`, `backfill` or `fetch n`. */
  readonly asked: string[] = []
  /** Called before each answer; throws to fail it. */
  trouble: (what: string) => void = () => undefined
  /** Sessions that listen, to be told of changes. */
  /** Answers a request to tell of changes: how long it holds, or an error. */
  subscribed: (() => number) | null = null
  readonly listeners = new Set<() => void>()
  sessions = 0
  /** Ends every open session as a lost connection does. */
  hangUp: () => void = () => undefined
  /** Changes from before are forgotten. */
  forgotten = 0
  #ids = 0

  constructor(address: string) {
    this.address = address
  }

  put(note: Note, kept: MailMessage = message(note)): string {
    const id = note.id ?? `${this.address}-${++this.#ids}`
    this.held.set(id, {
      message: kept,
      flags: note.flags ?? [],
      labels: note.labels === undefined ? [] : note.labels,
    })
    this.log.push(id)
    return id
  }
  receive(note: Omit<Note, 'to'> & { to?: readonly string[] }): string {
    return this.put({ to: [this.address], ...note })
  }
  send(note: Omit<Note, 'from'>): string {
    return this.put({ from: this.address, flags: ['sent'], ...note })
  }
  edit(id: string, change: Partial<Held>): void {
    const held = this.held.get(id)
    if (held === undefined || held === 'bad') throw new Error(`no message ${id}`)
    this.held.set(id, { ...held, ...change })
    this.log.push(id)
  }
  spoil(id: string): void {
    this.held.set(id, 'bad')
    this.log.push(id)
  }
  remove(id: string): void {
    this.held.delete(id)
    this.log.push(id)
  }
  show(ids: readonly string[]): Pick<MailPage, 'sightings' | 'bad'> {
    const bad = ids.filter((id) => this.held.get(id) === 'bad')
    return {
      sightings: ids.flatMap((id): Sighting[] => {
        const held = this.held.get(id)
        if (held === 'bad') return []
        if (held === undefined) return [{ kind: 'gone', id }]
        return [{ kind: 'message', id, sighted: { ...held } }]
      }),
      bad: bad.map((id) => ({ where: `message ${id}`, id, problem: 'broken in every part', raw: 'SECRET' })),
    }
  }
  order(): readonly string[] {
    const at = (held: Held | 'bad') => (held === 'bad' ? 0 : held.message.envelope.at)
    return [...this.held].toSorted((a, b) => at(b[1]) - at(a[1]) || (a[0] < b[0] ? -1 : 1)).map(([id]) => id)
  }
}

const numberOf = (value: Json | undefined): number => (typeof value === 'number' ? value : 0)

export function fakeConnector(boxes: () => readonly FakeMailbox[]): Connector {
  const boxOf = (id: string) => {
    const box = boxes().find((one) => `id:${one.address}` === id)
    if (box === undefined) throw new Error(`no mailbox ${id}`)
    return box
  }
  return {
    id: 'fake',
    auth: { kind: 'none' },
    limits: [],
    resources: {},
    check: async () => ({ accountId: 'fake', label: 'fake' }),
    classify: () => ({ kind: 'unavailable', committed: 'no', message: 'never asked' }),
    mail: {
      async mailboxes() {
        for (const box of boxes()) box.trouble('mailboxes')
        return boxes().map(({ address }) => ({ id: `id:${address}`, address, addresses: [address] }))
      },
      async pull(_io, mailbox, from, ask): Promise<MailPage> {
        const box = boxOf(mailbox.id)
        box.asked.push(ask.want)
        box.trouble(ask.want)
        const start = { seen: box.log.length, listed: 0, done: false }
        const was =
          from === null
            ? start
            : { seen: numberOf(from['seen']), listed: numberOf(from['listed']), done: from['done'] === true }
        const backfill = (state: typeof start): MailPage['backfill'] =>
          state.done ? { kind: 'done' } : { kind: 'waiting', listed: state.listed, total: box.held.size }
        if (ask.want === 'live') {
          if (was.seen < box.forgotten) {
            const anew = { ...start }
            return { sightings: [], bad: [], cursor: anew, more: false, backfill: backfill(anew) }
          }
          const next = Math.min(box.log.length, was.seen + box.pageSize)
          const cursor = { ...was, seen: next }
          const page = box.show([...new Set(box.log.slice(was.seen, next))])
          return { ...page, cursor, more: next < box.log.length, backfill: backfill(cursor) }
        }
        const listed = box.order().filter((id) => {
          const held = box.held.get(id)
          return (
            ask.since === null ||
            held === undefined ||
            held === 'bad' ||
            held.message.envelope.at >= ask.since
          )
        })
        const ids = listed.slice(was.listed, was.listed + box.pageSize)
        const known = await ask.known(ids)
        const done = was.listed + ids.length >= listed.length
        const cursor = { ...was, listed: was.listed + ids.length, done }
        const page = box.show(ids.filter((id) => !known.has(id)))
        return { ...page, cursor, more: !done, backfill: backfill(cursor) }
      },
      async subscribe(io, mailbox) {
        const box = boxOf(mailbox.id)
        if (box.subscribed === null) return null
        box.asked.push('subscribe')
        return { kept: { id: box.asked.length }, renewBefore: io.now() + box.subscribed() }
      },
      async listen(_io, mailbox, changed, stop) {
        const box = boxOf(mailbox.id)
        box.listeners.add(changed)
        box.sessions++
        try {
          await new Promise<void>((resolve, reject) => {
            box.hangUp = () => reject(new Error('the line is dead'))
            stop.addEventListener('abort', () => resolve())
          })
        } finally {
          box.listeners.delete(changed)
        }
      },
      async fetch(_io, mailbox, ids) {
        const box = boxOf(mailbox.id)
        box.asked.push(`fetch ${ids.length}`)
        box.trouble('fetch')
        return box.show(ids)
      },
    },
  }
}

export type MailWorld = {
  readonly hub: Hub
  readonly db: Database
  readonly clock: { now: number; perSleep: number }
  contact(email: string, fields?: Readonly<Record<string, Json>>): Promise<number>
  /** The hub anew, with rules of its own. */
  reopened(change?: Partial<MailRules>, config?: Partial<MailConfig>): Promise<Hub>
  close(): Promise<void>
}

export const PIPELINES: readonly Pipeline[] = [
  {
    name: 'Sales',
    stages: [
      { name: 'Talking', outcome: 'open' },
      { name: 'Won', outcome: 'won' },
      { name: 'Lost', outcome: 'lost' },
    ],
  },
]

/** A hub whose only connections are fake mail: `mail` with the given mailboxes, and `other` with more of them. */
export async function openMailWorld(
  boxes: readonly FakeMailbox[],
  rules: Partial<MailRules> = {},
  others: readonly FakeMailbox[] = [],
): Promise<MailWorld> {
  const clock = { now: T0, perSleep: 1 }
  const { url, drop } = await testDatabase()
  const db = openDatabase(url, 6)
  const vault = openVault(['a key that is only for tests'])
  for (const name of ['mail', 'other'])
    await saveConnection(
      db.sql,
      vault,
      { name, connector: name === 'mail' ? 'fake' : 'fake-too', accountId: null, label: null, settings: {} },
      {},
    )
  const open = (change: Partial<MailRules>, config: Partial<MailConfig> = {}): Promise<Hub> => {
    const mail: MailConfig = {
      schedule: '*/5 * * * *',
      rules: { ...DEFAULT_RULES, ...rules, ...change },
      owners: {},
      mailboxes: null,
      alarmMs: 2 * HOUR,
      ...config,
    }
    const connections = [
      { name: 'mail', connector: 'fake', settings: {}, streams: [], mail },
      ...(others.length === 0
        ? []
        : [{ name: 'other', connector: 'fake-too', settings: {}, streams: [], mail }]),
    ]
    const configuration: Configuration = {
      connections,
      pipelines: PIPELINES,
      invoicing: null,
      governance: NO_GOVERNANCE,
      alerts: DEFAULT_ALERTS,
      retention: KEEP_ALL,
      approvals: 'none',
      duplicates: DEFAULT_THRESHOLDS,
      survivorship: DEFAULT_SURVIVORSHIP,
      defaultCountry: 'DE',
      defaultCurrency: 'EUR',
    }
    return openHub({
      db,
      vault,
      log: pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }),
      connectors: { fake: fakeConnector(() => boxes), 'fake-too': fakeConnector(() => others) },
      configuration,
      transport: async () => {
        throw new Error('nothing is sent')
      },
      clock: { now: () => clock.now, sleep: async (ms) => void (clock.now += ms * clock.perSleep) },
      random: seeded(1),
    })
  }
  const hub = await open({})
  return {
    hub,
    db,
    clock,
    reopened: (change = {}, config = {}) => open(change, config),
    async contact(email, fields = {}) {
      const saved = await createRecord(hub, 'contact', { emails: [email], ...fields }, 'api')
      if (saved.kind !== 'saved') throw new Error(JSON.stringify(saved))
      return saved.record.id
    },
    async close() {
      await db.close()
      await drop()
    },
  }
}
